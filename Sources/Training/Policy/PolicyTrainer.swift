import Foundation
import Tensors
import Transformer

/// Reinforcement learning on one model: one optimizer update per batch.
///
/// Not thread-safe: one owner calls it, and it spreads each step over the pool.
public final class PolicyTrainer {
    /// Weights, moments and counters.
    public let state: any TrainedState
    /// How the policy is trained.
    public let settings: PolicySettings
    /// The bf16 model of the current state, which is what a version publishes.
    ///
    /// Every step overwrites it: write it out, or make another one from the state, before the next.
    public let weights: ModelWeights
    private let kernels: Kernels
    private let graph: TrainingGraph
    private let optimizer: AdamW
    private let pool: ComputePool

    /// A trainer that goes on from `state`.
    ///
    /// - Parameter plan: how gradients are computed; by default as usual for the model's size.
    /// - Throws: `ModelError` when a weight is not finite, or for a model that cannot be trained.
    public init(
        state: any TrainedState, settings: PolicySettings, kernels: Kernels, pool: ComputePool,
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

    /// Learns from one batch.
    ///
    /// Groups whose rewards are all equal are skipped and not replaced; the loss is divided by the completion tokens of
    /// all rollouts, skipped ones included, so that a batch with little to learn makes a small step. A loss or gradient
    /// that is not finite leaves weights and moments untouched. The step counter advances in every case.
    ///
    /// - Throws: ``TrainingBatchError`` for a malformed batch; the state is then untouched. `ModelError` when the update
    ///   itself made a weight overflow; the state is then lost, and training goes on from a checkpoint.
    public func step(_ batch: TrainingBatch) throws -> StepMetrics {
        let started = ContinuousClock.now
        let configuration = state.model
        try batch.validate(vocabularySize: configuration.vocabularySize, maximumLength: configuration.maxPositions)
        try expect(batch.step)
        let tokens = TrainableTokens(batch)
        var metrics = StepMetrics(step: batch.step, outcome: .nothingToLearn)
        tokens.describe(batch, in: &metrics)
        metrics.learningRate = settings.schedule.rate(at: state.updates + 1)
        if !tokens.sequences.isEmpty { try learn(from: tokens, &metrics) }
        state.step = batch.step
        let elapsed = started.duration(to: .now).components
        metrics.seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
        return metrics
    }

    /// Makes a step of which nothing is learned, since its batch is dropped; weights and moments stay.
    ///
    /// - Throws: ``TrainingBatchError`` where the step does not follow the last one.
    public func skip(_ step: Int) throws -> StepMetrics {
        try expect(step)
        state.step = step
        return StepMetrics(step: step, outcome: .nothingToLearn)
    }

    private func expect(_ step: Int) throws(TrainingBatchError) {
        guard step == state.step + 1 else {
            throw TrainingBatchError(what: "step \(step) does not follow step \(state.step)", place: "the batch")
        }
    }

    private func learn(from tokens: TrainableTokens, _ metrics: inout StepMetrics) throws {
        let denominator = Double(metrics.completionTokens)
        let objective = settings.objective
        let pass = state.run(graph, tokens.sequences, weights: weights, temperature: settings.temperature) {
            target, logProbability in
            let token = objective.loss(
                policy: Double(logProbability), behavior: Double(tokens.behavior[target]),
                advantage: tokens.advantages[target])
            return Float(token.slope / denominator)
        }
        tokens.measure(pass, objective: objective, denominator: denominator, in: &metrics)
        metrics.gradientNorm = AdamW.norm(of: graph.gradientValues, pool: pool)
        guard metrics.loss.isFinite, metrics.gradientNorm.isFinite else {
            metrics.outcome = .skippedNonFinite
            return
        }
        try optimizer.update(
            state, gradients: graph.gradientValues, norm: metrics.gradientNorm, learningRate: metrics.learningRate,
            weights: weights, kernels: kernels, pool: pool)
        metrics.outcome = .applied
    }
}
