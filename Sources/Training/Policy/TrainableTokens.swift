import Foundation
import Transformer

/// A batch flattened to what the loss reads: one entry per trained token, groups without any advantage left out.
struct TrainableTokens {
    private(set) var sequences: [TrainingSequence] = []
    private(set) var behavior: [Float] = []
    /// The worker's claim per token; where it made none, the audited value.
    private(set) var reported: [Float] = []
    private(set) var advantages: [Double] = []

    init(_ batch: TrainingBatch) {
        for group in batch.groups {
            let advantages = Advantages.groupMean(group.rollouts.map(\.reward))
            if advantages.allSatisfy({ $0 == 0 }) { continue }
            for (rollout, advantage) in zip(group.rollouts, advantages) {
                sequences.append(TrainingSequence(prompt: group.prompt, completion: rollout.completion))
                behavior += rollout.behaviorLogProbabilities
                reported +=
                    rollout.reportedLogProbabilities.isEmpty
                    ? rollout.behaviorLogProbabilities : rollout.reportedLogProbabilities
                self.advantages += repeatElement(advantage, count: rollout.completion.count)
            }
        }
    }

    /// Fills in what is known before any computation.
    func describe(_ batch: TrainingBatch, in metrics: inout StepMetrics) {
        let rollouts = batch.groups.flatMap(\.rollouts)
        let silent = batch.groups.filter { group in group.rollouts.allSatisfy { $0.reward == group.rollouts[0].reward }
        }
        let staleness = batch.groups.map { batch.step - 1 - $0.version }
        metrics.reward = rollouts.reduce(0) { $0 + $1.reward } / Double(rollouts.count)
        metrics.zeroAdvantageShare = Double(silent.count) / Double(batch.groups.count)
        metrics.completionTokens = rollouts.reduce(0) { $0 + $1.completion.count }
        metrics.trainedTokens = behavior.count
        metrics.processedTokens = sequences.reduce(0) { $0 + $1.tokens.count }
        metrics.offPolicyMean = Double(staleness.reduce(0, +)) / Double(staleness.count)
        metrics.offPolicyMaximum = staleness.max() ?? 0
    }

    /// Fills in what a pass over the tokens showed, in token order so that the sums never depend on threads.
    func measure(_ pass: TrainingPass, objective: any Objective, denominator: Double, in metrics: inout StepMetrics) {
        var restrained = 0
        var loss = 0.0
        var offPolicy = 0.0
        var mismatch = 0.0
        for (index, logProbability) in pass.logProbabilities.enumerated() {
            let token = objective.loss(
                policy: Double(logProbability), behavior: Double(behavior[index]), advantage: advantages[index])
            loss += token.loss
            restrained += token.isRestrained ? 1 : 0
            offPolicy += Self.divergence(Double(logProbability) - Double(behavior[index]))
            mismatch += Self.divergence(Double(reported[index]) - Double(behavior[index]))
        }
        let count = Double(pass.logProbabilities.count)
        metrics.loss = loss / denominator
        metrics.entropy = pass.entropies.reduce(0) { $0 + Double($1) } / count
        metrics.restrainedShare = Double(restrained) / count
        metrics.offPolicyKL = offPolicy / count
        metrics.mismatchKL = mismatch / count
    }

    /// r − log r − 1 for r = exp(`logRatio`): never negative, and exactly 0 for equal log-probabilities.
    private static func divergence(_ logRatio: Double) -> Double {
        logRatio == 0 ? 0 : expm1(logRatio) - logRatio
    }
}
