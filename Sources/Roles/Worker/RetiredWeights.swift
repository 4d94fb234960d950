import Synchronization
import Transformer

/// Weights that nobody computes with any more, on their way back to the system.
///
/// A version is loaded only after those before it are gone, or a bound on versions in memory would not hold: so they wait
/// here, where the loader finds them first, and in no task that runs when it pleases.
final class RetiredWeights: Sendable {
    private let waiting = Mutex<[ModelWeights]>([])

    /// Leaves weights here; the caller keeps no reference.
    func leave(_ weights: ModelWeights) {
        waiting.withLock { $0.append(weights) }
    }

    /// Gives everything back to the system, on the calling thread: gigabytes take a while.
    func discard() {
        let gone = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        _ = consume gone
    }
}
