import Identity
import Synchronization
import Transformer

/// Weights that nobody computes with any more, on their way back to the system or to the next version.
///
/// A version is loaded only after those before it are gone, or a bound on versions in memory would not hold: so they wait
/// here, where the loader finds them first, and in no task that runs when it pleases.
final class RetiredWeights: Sendable {
    private let waiting = Mutex<[ModelWeights]>([])

    /// Leaves weights here; the caller keeps no reference.
    func leave(_ weights: ModelWeights) {
        waiting.withLock { $0.append(weights) }
    }

    /// Takes out the weights of a hash, which then belong to the caller.
    func take(_ hash: Hash256) -> ModelWeights? {
        waiting.withLock { waiting in
            waiting.firstIndex { $0.weightsHash == hash }.map { waiting.remove(at: $0) }
        }
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
