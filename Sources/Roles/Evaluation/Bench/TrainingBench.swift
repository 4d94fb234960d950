import Tensors
import Training
import Transformer

/// Times whole training steps on random tokens: forward, backward, clipping, AdamW on f32 master weights, packing.
///
/// Holds what a trainer holds, and no second copy of the weights: the memory of `make bench` is read off it.
public struct TrainingBench {
    private let warmUp: SupervisedWarmUp
    private let kernels: Kernels
    private let pool: ComputePool
    private let repeats: Int

    /// A bench on a model's directory, or on a random nano model.
    public init(model: String?, kernels: Kernels, threads: Int, repeats: Int) throws {
        self.kernels = kernels
        self.repeats = repeats
        pool = ComputePool(threads: threads)
        let master =
            if let model {
                try ModelDirectory(opening: model).masterWeights()
            } else {
                ModelInitializer.random(ModelShape.nano.configuration, seed: 0)
            }
        warmUp = try SupervisedWarmUp(
            state: TrainingState(master: master),
            settings: SupervisedSettings(schedule: LearningRateSchedule(peak: 1e-5, warmUpSteps: 1)), kernels: kernels,
            pool: pool)
    }

    /// Tokens per second of steps over `batch` sequences of `length` tokens each.
    public func steps(batch: Int, length: Int) throws -> EngineBench.Line {
        let demonstrations = (0..<batch).map { index in
            let all = EngineBench.tokens(length, seed: index, vocabulary: warmUp.state.model.vocabularySize)
            return Demonstration(prompt: [all[0]], completion: Array(all.dropFirst()))
        }
        _ = try warmUp.step(demonstrations)
        let rates = try (0..<repeats).map { _ in
            let began = ContinuousClock.now
            _ = try warmUp.step(demonstrations)
            return Double(batch * length) / (began.duration(to: .now) / .seconds(1))
        }
        let parameters = warmUp.state.slices.reduce(0) { $0 + $1.count }
        return EngineBench.Line(
            "train", rates, kernels: kernels, pool: pool, parameters: parameters, ["batch": batch, "length": length])
    }
}
