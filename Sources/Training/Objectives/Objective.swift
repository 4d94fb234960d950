/// What a policy-gradient algorithm says about one sampled token.
///
/// An objective is a function of the token's log-probability now (π), its log-probability when it was sampled (μ) and
/// its advantage. The trainer divides by the number of tokens and sums; an objective knows nothing of batches.
/// Adding an algorithm means adding one file with one conformance and naming it in ``Objectives``.
public protocol Objective: Sendable {
    /// The name in run files, for example `clip`.
    static var name: String { get }

    /// The loss of one token and its analytic derivative with respect to `policy`.
    ///
    /// - Parameters:
    ///   - policy: log π, the natural log-probability under the weights being trained.
    ///   - behavior: log μ, the audited log-probability under the weights that sampled the token.
    ///   - advantage: how much better the rollout was than its group.
    func loss(policy: Double, behavior: Double, advantage: Double) -> TokenLoss
}

/// One token's share of the loss.
public struct TokenLoss: Sendable, Equatable {
    /// The loss, before division by the number of tokens.
    public var loss: Double
    /// The derivative of `loss` with respect to the policy's log-probability.
    public var slope: Double
    /// Whether the trust region held this token back (clipped or masked).
    public var isRestrained: Bool

    /// A token's loss from its parts.
    public init(loss: Double, slope: Double, isRestrained: Bool) {
        self.loss = loss
        self.slope = slope
        self.isRestrained = isRestrained
    }
}
