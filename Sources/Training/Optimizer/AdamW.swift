import Tensors
import Transformer

/// Applies gradients to a training state: global norm, clipping, then AdamW with decoupled weight decay.
///
/// Per element and in this order: `g ← g·clip; p ← p·(1 − lr·wd); m ← m + (g − m)(1 − β1); v ← v·β2 + g²(1 − β2);
/// p ← p − (lr / (1 − β1ᵗ)) · m / (√v / √(1 − β2ᵗ) + ε)`, as `torch.optim.AdamW` does. All of it is elementwise, and the
/// norm is summed over blocks of fixed size, so the result does not depend on the number of threads.
public struct AdamW: Sendable {
    /// The constants.
    public var settings: AdamWSettings
    /// The bound on the gradient.
    public var clipping: GradientClipping

    /// An optimizer from its settings.
    public init(settings: AdamWSettings, clipping: GradientClipping) {
        self.settings = settings
        self.clipping = clipping
    }

    /// Elements that one task handles.
    private static let blockLength = 16384

    /// The global norm of gradients: not a number or infinite when any of them is.
    public static func norm(of values: Storage<Float>, pool: ComputePool) -> Double {
        let blocks = (values.count + blockLength - 1) / blockLength
        let sums = Storage<Double>(count: blocks)
        pool.run(blocks) { block, _ in
            let start = block * blockLength
            sums.pointer[block] = TrainingKernels.sumOfSquares(
                values.pointer + start, count: min(blockLength, values.count - start))
        }
        return sums.buffer.reduce(0, +).squareRoot()
    }

    /// Applies one update.
    ///
    /// - Parameter norm: of the gradients, and finite: the caller has looked.
    public func update(
        _ state: any TrainedState, gradients: Storage<Float>, norm: Double, learningRate: Double, pool: ComputePool
    ) {
        state.updates += 1
        let step = AdamWStep(
            update: state.updates, learningRate: learningRate, beta1: settings.beta1, beta2: settings.beta2,
            epsilon: settings.epsilon, weightDecay: settings.weightDecay, gradientScale: clipping.scale(forNorm: norm))
        let count = gradients.count
        let arrays = state.arrays
        let parameters = arrays.parameters.pointer
        let (first, second) = (arrays.firstMoments.pointer, arrays.secondMoments.pointer)
        pool.run((count + Self.blockLength - 1) / Self.blockLength) { block, _ in
            let start = block * Self.blockLength
            step.apply(
                parameters: parameters + start, gradients: gradients.pointer + start,
                firstMoments: first + start, secondMoments: second + start,
                count: min(Self.blockLength, count - start))
        }
    }
}
