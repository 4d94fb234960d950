import EnvironmentKit
import Foundation
import Identity
import RunConfiguration
import Tensors
import Training
import Transformer

/// The trainer's arithmetic, on a thread of its own: warm-up, optimizer steps, checkpoints.
actor TrainingDesk {
    /// A version that is ready to be published.
    struct Draft: Sendable {
        let step: UInt64
        let weightsHash: Hash256
        let configuration: ModelConfiguration
    }

    nonisolated let executor: ComputeExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let file: RunFile
    private let environment: (any Environment)?
    private let model: StartingModel
    private let kernels: Kernels
    private let pool: ComputePool
    private let checkpoints: CheckpointStore
    private let directory: RunDirectory
    private var trainer: PolicyTrainer?

    /// A desk of a run; the environment is needed for the warm-up only.
    init(
        file: RunFile, environment: (any Environment)?, model: StartingModel, directory: RunDirectory, kernels: Kernels
    ) {
        self.file = file
        self.environment = environment
        self.model = model
        self.kernels = kernels
        self.directory = directory
        executor = ComputeExecutor(name: "training")
        pool = ComputePool(threads: file.swarm.trainerThreads)
        checkpoints = CheckpointStore(directory: directory.checkpoints, keepLast: file.training.keepCheckpoints)
    }

    /// The newest STABLE checkpoint, or a warmed-up model.
    ///
    /// - Parameter progress: Called at some of the warm-up's steps.
    /// - Returns: The step to go on from, and a sentence for every checkpoint that could not be used.
    func begin(
        progress: @Sendable (SupervisedWarmUp.Progress, _ of: Int) -> Void
    ) throws -> (step: UInt64, ignored: [String]) {
        let newest = try checkpoints.loadNewest(configuration: model.configuration)
        if let state = newest.state {
            trainer = try makeTrainer(state)
            // A crash may have come between the checkpoint and the model beside it.
            try replace(state.step == 0 ? directory.startModel : directory.model)
            return (UInt64(state.step), newest.ignored)
        }
        var master = try model.masterWeights(seed: file.run.seed)
        if file.warmUp.steps > 0, let environment {
            let warmUp = try SupervisedWarmUp(
                state: TrainingState(master: master), settings: SupervisedSettings(file.warmUp), kernels: kernels,
                pool: pool)
            let prompts = model.prompts
            let source = EnvironmentDemonstrations(
                environment: environment, tokenizer: prompts.tokenizer, seed: file.run.seed, batch: file.warmUp.batch,
                end: model.generation.stopTokens.first
            ) { try prompts.tokens(of: $0, limit: model.configuration.maxPositions) }
            let steps = file.warmUp.steps
            try warmUp.run(source, steps: steps) { done in
                if done.step == 1 || done.step == steps || done.step % max(1, steps / 20) == 0 { progress(done, steps) }
            }
            master = warmUp.state.master
        }
        let state = TrainingState(master: master)
        // Step 0 is a checkpoint too: a crash in the first steps must not cost the warm-up.
        try checkpoints.save(state)
        trainer = try makeTrainer(state)
        try replace(directory.startModel)
        return (0, newest.ignored)
    }

    private func makeTrainer(_ state: TrainingState) throws -> PolicyTrainer {
        try PolicyTrainer(state: state, settings: try PolicySettings(file), kernels: kernels, pool: pool)
    }

    /// One optimizer step.
    func step(_ batch: TrainingBatch) throws -> StepMetrics { try current().step(batch) }

    /// Saves everything that the next step depends on, and the model for whoever wants to use it.
    func checkpoint() throws {
        try checkpoints.save(try current().state)
        try replace(directory.model)
    }

    /// Writes the model beside the old one and then puts it in its place, so that a reader never sees half of one.
    private func replace(_ path: String) throws {
        let manager = FileManager.default
        let draft = path + ".new"
        try? manager.removeItem(atPath: draft)
        try write(to: draft)
        try? manager.removeItem(atPath: path)
        try manager.moveItem(atPath: draft, toPath: path)
    }

    /// The current weights, rounded as workers will use them.
    func draft() throws -> Draft {
        let trainer = try current()
        return Draft(
            step: UInt64(trainer.state.step), weightsHash: trainer.weights.weightsHash,
            configuration: trainer.weights.configuration)
    }

    /// Writes the current weights as a Hugging Face directory.
    func write(to path: String) throws { try model.write(try current().weights, to: path) }

    private func current() throws -> PolicyTrainer {
        guard let trainer else {
            throw RoleFailure(.fault, "The trainer was asked for a step before it had weights.")
        }
        return trainer
    }
}
