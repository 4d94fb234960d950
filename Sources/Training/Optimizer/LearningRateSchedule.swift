/// A linear warm-up, then a constant rate, then an optional linear descent.
public struct LearningRateSchedule: Sendable, Equatable, Codable {
    /// The rate after the warm-up.
    public var peak: Double
    /// Steps until `peak` is reached; 0 starts at the peak.
    public var warmUpSteps: Int
    /// The steps over which the rate falls towards 0; nil keeps it constant for ever.
    public var coolDown: Range<Int>?

    /// A schedule from its peak and the length of its warm-up.
    ///
    /// - Parameter coolDown: steps, counted from 1, over which the rate falls linearly; after them it is 0.
    public init(peak: Double, warmUpSteps: Int, coolDown: Range<Int>? = nil) {
        self.peak = peak
        self.warmUpSteps = warmUpSteps
        self.coolDown = coolDown
    }

    /// The rate for a step, counted from 1: `peak · min(1, step / warmUpSteps)`, less the descent.
    public func rate(at step: Int) -> Double {
        var rate = peak
        if warmUpSteps > 0, step < warmUpSteps { rate = peak * Double(max(step, 0)) / Double(warmUpSteps) }
        if let coolDown, step >= coolDown.lowerBound {
            rate *= max(0, Double(coolDown.upperBound - step) / Double(max(1, coolDown.count)))
        }
        return rate
    }
}
