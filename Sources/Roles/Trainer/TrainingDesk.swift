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
        /// The frozen weights that the version's adapter is merged into; nil where the version is a whole model.
        let baseHash: Hash256?
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
    ///
    /// - Throws: When the files beside the model that training begins with cannot be read.
    init(
        file: RunFile, environment: (any Environment)?, model: StartingModel, directory: RunDirectory, kernels: Kernels
    ) throws {
        self.file = file
        self.environment = environment
        self.model = model
        self.kernels = kernels
        self.directory = directory
        executor = ComputeExecutor(name: "training")
        pool = ComputePool(threads: file.swarm.trainerThreads)
        checkpoints = CheckpointStore(
            directory: directory.checkpoints, keepLast: file.training.keepCheckpoints,
            companions: try model.checkpointCompanions())
    }

    /// The newest STABLE checkpoint, or a warmed-up model.
    ///
    /// - Parameter progress: Called at some of the warm-up's steps.
    /// - Returns: The step to go on from, and a sentence for every checkpoint that could not be used.
    func begin(
        progress: @Sendable (SupervisedWarmUp.Progress, _ of: Int) -> Void
    ) throws -> (step: UInt64, ignored: [String]) {
        if let adapter = try AdapterConfiguration.requested(file.training.lora, base: nil) {
            return try begin(adapter, progress)
        }
        let newest = try checkpoints.loadNewest(configuration: model.configuration)
        if let state = newest.state {
            trainer = try makeTrainer(state)
            // A crash may have come between the checkpoint and the model beside it.
            try replace(state.step == 0 ? directory.startModel : directory.model)
            return (UInt64(state.step), newest.ignored)
        }
        let state = TrainingState(master: try startingWeights(progress))
        // Step 0 is a checkpoint too: a crash in the first steps must not cost the warm-up.
        try checkpoints.save(state)
        trainer = try makeTrainer(state)
        try replace(directory.startModel)
        return (0, newest.ignored)
    }

    /// The same where an adapter learns: the model after warm-up is frozen, and a checkpoint holds the adapter only.
    private func begin(
        _ adapter: AdapterConfiguration, _ progress: (SupervisedWarmUp.Progress, _ of: Int) -> Void
    ) throws -> (step: UInt64, ignored: [String]) {
        if !FileManager.default.fileExists(atPath: directory.startModel) {
            // Before the first checkpoint, because every checkpoint needs it.
            let weights =
                try warmedUp(progress)?.weights ?? model.weights(seed: file.run.seed, kernels: kernels, pool: pool)
            try replace(directory.startModel) { try model.write(weights, to: $0) }
        }
        // Private, because the adapter is merged into it.
        let base = try ModelDirectory(opening: directory.startModel)
            .weights(kernels: kernels, pool: pool, cache: nil)
        let state = try start.state(adapter, of: base)
        let (notes, ignored) = try checkpoints.loadNewest(into: state)
        if notes == nil { try checkpoints.save(state) }
        trainer = try makeTrainer(state)
        if state.step > 0 { try writeCheckpointed() }
        return (UInt64(state.step), ignored)
    }

    /// The weights after warm-up, in f32 where the warm-up has them so.
    private func startingWeights(
        _ progress: (SupervisedWarmUp.Progress, _ of: Int) -> Void
    ) throws -> MasterWeights {
        guard let warmUp = try warmedUp(progress) else { return try model.masterWeights(seed: file.run.seed) }
        return (warmUp.state as? TrainingState)?.master ?? MasterWeights(widening: warmUp.weights)
    }

    private var start: TrainingStart { TrainingStart(seed: file.run.seed, kernels: kernels, pool: pool) }

    /// The warm-up after its last step; nil where the run has none.
    private func warmedUp(
        _ progress: (SupervisedWarmUp.Progress, _ of: Int) -> Void
    ) throws -> SupervisedWarmUp? {
        guard file.warmUp.steps > 0, let environment else { return nil }
        let warmUp = try SupervisedWarmUp(
            state: try start.supervised(model, try .requested(file.warmUp.lora, base: nil)),
            settings: SupervisedSettings(file.warmUp), kernels: kernels, pool: pool)
        let (prompts, positions) = (model.prompts, model.configuration.maxPositions)
        let source = EnvironmentDemonstrations(
            environment: environment, tokenizer: prompts.tokenizer, seed: file.run.seed, batch: file.warmUp.batch,
            end: model.generation.stopTokens.first
        ) { try prompts.tokens(of: $0, limit: positions) }
        let steps = file.warmUp.steps
        try warmUp.run(source, steps: steps) { done in
            if done.step == 1 || done.step == steps || done.step % max(1, steps / 20) == 0 { progress(done, steps) }
        }
        return warmUp
    }

    private func makeTrainer(_ state: any TrainedState) throws -> PolicyTrainer {
        try PolicyTrainer(state: state, settings: try PolicySettings(file), kernels: kernels, pool: pool)
    }

    /// The groups of a batch that cannot be trained on, by their places.
    func faults(of batch: TrainingBatch) throws -> [Int: TrainingBatchError] {
        let model = try current().state.model
        return batch.faults(vocabularySize: model.vocabularySize, maximumLength: model.maxPositions)
    }

    /// One optimizer step.
    func step(_ batch: TrainingBatch) throws -> StepMetrics { try current().step(batch) }

    /// A step of which nothing is learned.
    func skip(_ step: Int) throws -> StepMetrics { try current().skip(step) }

    /// Saves everything that the next step depends on, and the model for whoever wants to use it.
    func checkpoint() throws {
        try checkpoints.save(try current().state)
        try writeCheckpointed()
    }

    /// What people use of the newest checkpoint: the model, and the adapter where one is trained.
    private func writeCheckpointed() throws {
        try replace(directory.model)
        if let state = try current().state as? AdapterState {
            // With a warm-up, the base is this run's own; a shape has no other.
            let name = file.warmUp.steps > 0 ? nil : file.model.path
            try replace(directory.adapter) { path in
                try AdapterDirectory.write(
                    to: path,
                    configuration: state.factors.configuration.named(base: name ?? directory.startModel),
                    tensors: state.factors.sources)
            }
        }
    }

    /// Writes a directory beside the old one and then puts it in its place, so that a reader never sees half of one.
    private func replace(_ path: String, _ write: (String) throws -> Void) throws {
        let manager = FileManager.default
        let draft = path + ".new"
        try? manager.removeItem(atPath: draft)
        try write(draft)
        try? manager.removeItem(atPath: path)
        try manager.moveItem(atPath: draft, toPath: path)
    }

    private func replace(_ path: String) throws {
        let weights = try current().weights
        try replace(path) { try model.write(weights, to: $0) }
    }

    /// The current weights, rounded as workers will use them.
    func draft() throws -> Draft {
        let trainer = try current()
        return Draft(
            step: UInt64(trainer.state.step), weightsHash: trainer.weights.weightsHash,
            baseHash: trainer.state.baseHash, configuration: trainer.weights.configuration)
    }

    /// Writes what a version publishes: a Hugging Face directory, or the files of an adapter.
    func write(to path: String) throws {
        if let state = try current().state as? AdapterState {
            // Its base is in the manifest; a path of this machine is nobody's business.
            try AdapterDirectory.write(
                to: path, configuration: state.factors.configuration, tensors: state.factors.sources)
        } else {
            try model.write(try current().weights, to: path)
        }
    }

    private func current() throws -> PolicyTrainer {
        guard let trainer else {
            throw RoleFailure(.fault, "The trainer was asked for a step before it had weights.")
        }
        return trainer
    }
}
