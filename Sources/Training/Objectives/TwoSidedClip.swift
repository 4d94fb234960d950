import Foundation

/// The clipped ratio of PPO with a second bound for negative advantages, as INTELLECT-2 trained.
///
/// With r = π/μ the loss is `max(−min(r, cap)·A, −clip(r, 1−low, 1+high)·A)`. Plain PPO leaves −r·A unbounded where
/// A < 0 and r is large; the ratio cap bounds it.
public struct TwoSidedClip: Objective {
    /// The name in run files.
    public static let name = "clip"

    /// How far the ratio may fall below 1 before a negative advantage stops pushing.
    public var low: Double
    /// How far the ratio may rise above 1 before a positive advantage stops pushing.
    public var high: Double
    /// The largest ratio that counts at all.
    public var ratioCap: Double

    /// The clip with the demo's bounds unless told otherwise.
    public init(low: Double = 0.2, high: Double = 0.2, ratioCap: Double = 4) {
        self.low = low
        self.high = high
        self.ratioCap = ratioCap
    }

    /// The loss of one token.
    public func loss(policy: Double, behavior: Double, advantage: Double) -> TokenLoss {
        let ratio = exp(policy - behavior)
        let capped = min(ratio, ratioCap)
        let clipped = min(max(capped, 1 - low), 1 + high)
        let free = -capped * advantage
        let bounded = -clipped * advantage
        // d ratio / d log π = ratio, wherever neither bound is active.
        if free >= bounded {
            let isCapped = ratio > ratioCap
            return TokenLoss(
                loss: free, slope: isCapped ? 0 : free, isRestrained: isCapped && advantage != 0)
        }
        return TokenLoss(loss: bounded, slope: 0, isRestrained: true)
    }
}
