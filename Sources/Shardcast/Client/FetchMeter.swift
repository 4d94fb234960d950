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
    private let manifest: Manifest
    private let report: (@Sendable (FetchProgress) -> Void)?
    private let state = Mutex(State())

    init(_ manifest: Manifest, report: (@Sendable (FetchProgress) -> Void)?) {
        self.manifest = manifest
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
            guard report != nil, isDue || state.done >= manifest.totalBytes else { return nil }
            state.lastReport = now
            let elapsed = now - begin
            let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
            return FetchProgress(
                version: manifest.version, bytesDone: state.done, bytesTotal: manifest.totalBytes,
                bytesPerSecond: seconds > 0 ? Double(state.received) / seconds : 0)
        }
        if let progress { report?(progress) }
    }
}
