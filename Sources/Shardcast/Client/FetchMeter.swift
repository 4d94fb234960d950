import Synchronization

/// Counts one fetch and reports it, at most ten times a second and once at the end.
final class FetchMeter: Sendable {
    private struct State {
        var received: UInt64 = 0
        var done: UInt64 = 0
        var reused: UInt64 = 0
        var lastReport: ContinuousClock.Instant?
    }

    private static let interval: Duration = .milliseconds(100)

    let begin = ContinuousClock.now
    private let version: UInt64
    private let total: UInt64
    private let report: (@Sendable (FetchProgress) -> Void)?
    private let state = Mutex(State())

    /// - Parameter total: The bytes of everything that the fetch needs, wherever it comes from.
    init(_ version: UInt64, total: UInt64, report: (@Sendable (FetchProgress) -> Void)?) {
        self.version = version
        self.total = total
        self.report = report
    }

    var received: UInt64 { state.withLock { $0.received } }
    var reused: UInt64 { state.withLock { $0.reused } }

    func countReceived(_ bytes: Int) { state.withLock { $0.received += UInt64(bytes) } }

    func countReused(_ bytes: UInt64) {
        state.withLock {
            $0.reused += bytes
            $0.done += bytes
        }
    }

    func countDone(_ bytes: UInt64) {
        let now = ContinuousClock.now
        let progress: FetchProgress? = state.withLock { state in
            state.done += bytes
            let isDue = state.lastReport.map { now - $0 >= Self.interval } ?? true
            guard report != nil, isDue || state.done >= total else { return nil }
            state.lastReport = now
            let elapsed = now - begin
            let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
            return FetchProgress(
                version: version, bytesDone: state.done, bytesTotal: total,
                bytesPerSecond: seconds > 0 ? Double(state.received) / seconds : 0)
        }
        if let progress { report?(progress) }
    }
}
