import Tensors
import Transformer

/// Imitation of demonstrations before reinforcement: mean negative log-likelihood of the completions' tokens.
public final class SupervisedWarmUp {
    /// Weights, moments and counters.
    ///
    /// Reinforcement starts with fresh moments from these weights.
    public let state: any TrainedState
    /// The bf16 model of the current state; every step overwrites it.
    public let weights: ModelWeights
    private let settings: SupervisedSettings
    private let kernels: Kernels
    private let graph: TrainingGraph
    private let optimizer: AdamW
    private let pool: ComputePool

    /// A warm-up that goes on from `state`.
    ///
    /// - Parameter plan: how gradients are computed; by default as usual for the model's size.
    /// - Throws: `ModelError` when a weight is not finite, or for a model that cannot be trained.
    public init(
        state: any TrainedState, settings: SupervisedSettings, kernels: Kernels, pool: ComputePool,
        plan: TrainingPlan? = nil
    ) throws {
        self.state = state
        self.settings = settings
        self.kernels = kernels
        self.pool = pool
        weights = try state.makeWeights(kernels: kernels, pool: pool)
        graph = state.makeGraph(kernels: kernels, pool: pool, plan: plan)
        optimizer = AdamW(settings: settings.optimizer, clipping: settings.clipping)
    }

    /// What one step of imitation did.
    public struct Progress: Sendable, Equatable {
        /// The step, counted from 1.
        public var step: Int
        /// Mean negative log-likelihood per completion token before the update.
        public var loss: Double
        /// The global gradient norm before clipping.
        public var gradientNorm: Double
        /// Completion tokens.
        public var tokens: Int
        /// False when the loss or the gradient was not finite and the weights stayed.
        public var isApplied: Bool
    }

    /// Learns from one batch of demonstrations.
    ///
    /// - Throws: ``DemonstrationError`` for an empty batch, an empty demonstration or tokens outside of the vocabulary;
    ///   `ModelError` when the update made a weight overflow.
    @discardableResult
    public func step(_ demonstrations: [Demonstration]) throws -> Progress {
        let configuration = state.model
        for row in demonstrations {
            let tokens = row.prompt + row.completion
            guard !row.prompt.isEmpty, !row.completion.isEmpty, tokens.count - 1 <= configuration.maxPositions,
                tokens.allSatisfy({ $0 >= 0 && $0 < configuration.vocabularySize })
            else {
                throw DemonstrationError(
                    "a demonstration of \(tokens.count) tokens does not fit the model; use its own tokenizer "
                        + "and at most \(configuration.maxPositions + 1) tokens, since the last one is not fed")
            }
        }
        let sequences = demonstrations.map { TrainingSequence(prompt: $0.prompt, completion: $0.completion) }
        let count = sequences.reduce(0) { $0 + $1.targetCount }
        guard count > 0 else { throw DemonstrationError("a warm-up step needs at least one demonstration") }
        let slope = Float(-1 / Double(count))
        let pass = state.run(graph, sequences, weights: weights, temperature: 1) { _, _ in slope }
        let loss = -pass.logProbabilities.reduce(0) { $0 + Double($1) } / Double(count)
        let norm = AdamW.norm(of: graph.gradientValues, pool: pool)
        state.step += 1
        let isApplied = loss.isFinite && norm.isFinite
        if isApplied {
            try optimizer.update(
                state, gradients: graph.gradientValues, norm: norm,
                learningRate: settings.schedule.rate(at: state.updates + 1), weights: weights, kernels: kernels,
                pool: pool)
        }
        return Progress(step: state.step, loss: loss, gradientNorm: norm, tokens: count, isApplied: isApplied)
    }

    /// Learns from a source until the state has done `steps` steps.
    ///
    /// - Parameter onStep: called after each step, for people who watch.
    /// - Throws: what the source throws, ``DemonstrationError``, and `CancellationError` when the task is cancelled.
    public func run(
        _ source: any DemonstrationSource, steps: Int, onStep: (Progress) throws -> Void = { _ in }
    ) throws {
        while state.step < steps {
            try Task.checkCancellation()
            try onStep(step(source.demonstrations(at: state.step + 1)))
        }
    }
}
