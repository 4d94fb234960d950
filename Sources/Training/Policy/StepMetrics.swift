/// What one training step did.
public struct StepMetrics: Sendable, Equatable {
    /// Whether the step changed the weights.
    public enum Outcome: Sendable, Equatable {
        /// One optimizer update was applied.
        case applied
        /// Every group had equal rewards: there was nothing to learn from.
        case nothingToLearn
        /// Loss or gradient was not finite; weights and moments are untouched.
        case skippedNonFinite
    }

    /// The step, counted from 1.
    public var step: Int
    /// Whether the weights changed.
    public var outcome: Outcome
    /// The loss: the sum over trained tokens divided by the tokens of all rollouts.
    public var loss = 0.0
    /// Mean entropy of the policy at trained tokens, in nats.
    public var entropy = 0.0
    /// Mean of r − log r − 1 between reported and audited log-probabilities of trained tokens; 0 when all are exact.
    public var mismatchKL = 0.0
    /// Mean of r − log r − 1 between the policy now and the sampling policy.
    public var offPolicyKL = 0.0
    /// The learning rate used.
    public var learningRate = 0.0
    /// The global gradient norm before clipping.
    public var gradientNorm = 0.0
    /// Share of trained tokens that the trust region held back.
    public var restrainedShare = 0.0
    /// Share of groups whose rewards were all equal.
    public var zeroAdvantageShare = 0.0
    /// Mean reward over all rollouts, before any filter.
    public var reward = 0.0
    /// Mean staleness of the groups, in versions.
    public var offPolicyMean = 0.0
    /// Largest staleness of a group, in versions.
    public var offPolicyMaximum = 0
    /// Completion tokens of all rollouts: the denominator of the loss.
    public var completionTokens = 0
    /// Completion tokens that were trained on.
    public var trainedTokens = 0
    /// Tokens that went through the model, prompts included.
    public var processedTokens = 0
    /// Seconds that the step took.
    public var seconds = 0.0

    /// The values under the names of `metrics.jsonl`.
    public var named: [(name: String, value: Double)] {
        [
            ("reward/mean", reward), ("loss/mean", loss), ("entropy/mean", entropy),
            ("mismatch_kl/mean", mismatchKL), ("off_policy_kl/mean", offPolicyKL), ("optim/lr", learningRate),
            ("optim/grad_norm", gradientNorm), ("optim/applied", outcome == .applied ? 1 : 0),
            ("is_masked/mean", restrainedShare), ("zero_advantage/mean", zeroAdvantageShare),
            ("off_policy/mean", offPolicyMean), ("off_policy/max", Double(offPolicyMaximum)),
            ("progress/tokens", Double(completionTokens)), ("progress/trained_tokens", Double(trainedTokens)),
            ("perf/throughput", seconds > 0 ? Double(processedTokens) / seconds : 0),
            ("time/forward_backward", seconds),
        ]
    }
}
