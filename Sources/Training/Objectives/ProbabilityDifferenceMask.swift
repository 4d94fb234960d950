import Foundation

/// Drops tokens whose probability moved too far, and pulls all of them gently back: the default loss of prime-rl.
///
/// With p = π, q = μ and r = p/q, a token is dropped when p − q > high (A > 0) or p − q < −low (A ≤ 0). The loss is
/// `−[kept]·A·r + kl·(log r)²`; the second term applies to dropped tokens too. The ratio has no upper clamp, and the
/// mask is a constant for the derivative.
public struct ProbabilityDifferenceMask: Objective {
    /// The name in run files.
    public static let name = "mask"

    /// The largest fall in probability that a token with a negative advantage may have made.
    public var low: Double
    /// The largest rise in probability that a token with a positive advantage may have made.
    public var high: Double
    /// The weight of the squared log-ratio.
    public var kl: Double

    /// The mask with prime-rl's bounds unless told otherwise.
    public init(low: Double = 0.2, high: Double = 0.2, kl: Double = 1e-3) {
        self.low = low
        self.high = high
        self.kl = kl
    }

    /// The loss of one token.
    public func loss(policy: Double, behavior: Double, advantage: Double) -> TokenLoss {
        let logRatio = policy - behavior
        let difference = exp(policy) - exp(behavior)
        let isDropped = advantage > 0 ? difference > high : difference < -low
        let pushed = isDropped ? 0 : -advantage * exp(logRatio)
        return TokenLoss(
            loss: pushed + kl * logRatio * logRatio, slope: pushed + 2 * kl * logRatio, isRestrained: isDropped)
    }
}
