/// A linear warm-up, then a constant rate.
public struct LearningRateSchedule: Sendable, Equatable, Codable {
    /// The rate after the warm-up.
    public var peak: Double
    /// Steps until `peak` is reached; 0 starts at the peak.
    public var warmUpSteps: Int

    /// A schedule from its peak and the length of its warm-up.
    public init(peak: Double, warmUpSteps: Int) {
        self.peak = peak
        self.warmUpSteps = warmUpSteps
    }

    /// The rate for a step, counted from 1: `peak · min(1, step / warmUpSteps)`.
    public func rate(at step: Int) -> Double {
        guard warmUpSteps > 0, step < warmUpSteps else { return peak }
        return peak * Double(max(step, 0)) / Double(warmUpSteps)
    }
}
