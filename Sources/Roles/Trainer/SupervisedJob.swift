import Foundation
import RunConfiguration
import Tensors
import Training
import Transformer

/// Supervised training on a JSONL file, in one process: `apus sft`.
public struct SupervisedJob {
    private let file: SupervisedFile
    private let kernels: Kernels
    private let pool: ComputePool

    /// A job as a supervised file describes it.
    public init(file: SupervisedFile, kernels: Kernels, pool: ComputePool) {
        self.file = file
        self.kernels = kernels
        self.pool = pool
    }

    /// Trains and writes `DIRECTORY/model`, or `DIRECTORY/adapter` where an adapter learns.
    ///
    /// - Parameter progress: Step, steps, loss, tokens per second, seconds left; called about twenty times.
    /// - Returns: The directory that was written.
    public func run(_ progress: (Int, Int, Double, Double, Double) -> Void) throws -> String {
        let adapter = try AdapterConfiguration.requested(file.training.lora, base: file.model.path)
        let output = file.run.resolvedDirectory + (adapter == nil ? "/model" : "/adapter")
        guard !FileManager.default.fileExists(atPath: output) else {
            throw RoleFailure(
                .usage, "\(output) is there already.", advice: "Choose another run.directory, or delete it.")
        }
        try FileManager.default.createDirectory(
            atPath: file.run.resolvedDirectory, withIntermediateDirectories: true)
        let model = try StartingModel(file.model, of: file.run)
        let examples = try SupervisedRows(
            prompts: model.prompts, stopTokens: model.generation.stopTokens, data: file.data
        ).read()
        let rows = try DemonstrationRows(
            rows: examples, name: file.data.path, seed: file.run.seed, batch: file.training.batch)
        let warmUp = try SupervisedWarmUp(
            state: try TrainingStart(seed: file.run.seed, kernels: kernels, pool: pool).supervised(model, adapter),
            settings: SupervisedSettings(file.training), kernels: kernels, pool: pool)
        let steps = file.training.steps
        let began = ContinuousClock.now
        var tokens = 0
        try warmUp.run(rows, steps: steps) { done in
            tokens += done.tokens
            guard done.step == steps || done.step % max(1, steps / 20) == 0 else { return }
            let seconds = began.duration(to: .now) / .seconds(1)
            progress(
                done.step, steps, done.loss, Double(tokens) / seconds,
                seconds / Double(done.step) * Double(steps - done.step))
        }
        if let state = warmUp.state as? AdapterState {
            try AdapterDirectory.write(
                to: output, configuration: state.factors.configuration, tensors: state.factors.sources)
        } else {
            try model.write(warmUp.weights, to: output)
        }
        return output
    }
}
