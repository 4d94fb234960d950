import Dispatch
import Foundation
import Synchronization

/// Counts SIGINT and SIGTERM: the first asks a run to drain, the second ends it.
final class StopSignals: Sendable {
    private let total = Mutex(0)
    // Sources are only touched by `init` and `cancel`, and Dispatch's own methods are thread-safe.
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    init(_ handler: @escaping @Sendable (Int) -> Void) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number, queue: .global())
        }
        for source in sources {
            source.setEventHandler { [self] in
                handler(
                    total.withLock {
                        $0 += 1
                        return $0
                    })
            }
            source.resume()
        }
    }

    /// How many came.
    var count: Int { total.withLock { $0 } }

    func cancel() {
        for source in sources { source.cancel() }
    }
}
