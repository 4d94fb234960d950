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

    /// Applies one update, and brings the bf16 model up to date in the same pass over memory.
    ///
    /// - Parameter norm: of the gradients, and finite: the caller has looked.
    /// - Throws: `ModelError` when the update made a weight overflow; the state is then lost.
    public func update(
        _ state: any TrainedState, gradients: Storage<Float>, norm: Double, learningRate: Double,
        weights: ModelWeights, kernels: Kernels, pool: ComputePool
    ) throws {
        state.updates += 1
        let step = AdamWStep(
            update: state.updates, learningRate: learningRate, beta1: settings.beta1, beta2: settings.beta2,
            epsilon: settings.epsilon, weightDecay: settings.weightDecay, gradientScale: clipping.scale(forNorm: norm))
        try state.apply(step, gradients: gradients, to: weights, kernels: kernels, pool: pool)
    }
}

extension AdamWStep {
    /// Applies the step to a range of a state's arrays.
    func apply(to arrays: OptimizerArrays, gradients: Storage<Float>, _ range: Range<Int>) {
        let start = range.lowerBound
        apply(
            parameters: arrays.parameters.pointer + start, gradients: gradients.pointer + start,
            firstMoments: arrays.firstMoments.pointer + start, secondMoments: arrays.secondMoments.pointer + start,
            count: range.count)
    }
}
