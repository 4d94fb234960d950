/// A moment of the driver's own monotonic clock, in milliseconds.
///
/// The state machine never reads a clock; every moment comes in as an argument. Instants of two processes have
/// nothing in common, so none of them is ever part of a durable fact.
public struct Instant: Hashable, Comparable, Sendable {
    /// Milliseconds since the driver's own beginning.
    public let milliseconds: UInt64

    /// A moment so many milliseconds after the driver's own beginning.
    public init(milliseconds: UInt64) {
        self.milliseconds = milliseconds
    }

    /// A moment that does not come.
    static let never = Instant(milliseconds: .max)

    /// The moment so many milliseconds later; the last one that does come where that would overflow.
    public func advanced(by duration: UInt64) -> Instant {
        let (sum, overflow) = milliseconds.addingReportingOverflow(duration)
        return Instant(milliseconds: overflow ? .max - 1 : min(sum, .max - 1))
    }

    /// The milliseconds that passed since an earlier moment; 0 if that moment is not earlier.
    public func elapsed(since earlier: Instant) -> UInt64 {
        milliseconds > earlier.milliseconds ? milliseconds - earlier.milliseconds : 0
    }

    /// Compares by time.
    public static func < (left: Instant, right: Instant) -> Bool { left.milliseconds < right.milliseconds }
}
