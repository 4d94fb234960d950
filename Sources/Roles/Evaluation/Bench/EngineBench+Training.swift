import Tensors
import Training
import Transformer

extension EngineBench {
    /// Tokens per second of whole training steps: forward, backward, clipping, AdamW on f32 master weights, packing.
    public func train(batch: Int, length: Int) throws -> Line {
        let master = MasterWeights(widening: weights)
        let warmUp = try SupervisedWarmUp(
            state: TrainingState(master: master),
            settings: SupervisedSettings(schedule: LearningRateSchedule(peak: 1e-5, warmUpSteps: 1)), kernels: kernels,
            pool: pool)
        let demonstrations = (0..<batch).map { index in
            let all = tokens(length, seed: index)
            return Demonstration(prompt: [all[0]], completion: Array(all.dropFirst()))
        }
        _ = try warmUp.step(demonstrations)
        let rates = try (0..<repeats).map { _ in
            let began = ContinuousClock.now
            _ = try warmUp.step(demonstrations)
            return Double(batch * length) / (began.duration(to: .now) / .seconds(1))
        }
        return line("train", rates, ["batch": batch, "length": length])
    }
}
