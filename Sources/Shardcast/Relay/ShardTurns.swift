import Identity
import Synchronization

/// The order in which a relay fetches a version, kept against those who ask out of it.
///
/// A request for a shard whose turn is still to come waits for it: fetched at once, it would take its part of the line from the
/// shards before it, for which everybody waits.
final class ShardTurns: Sendable {
    private struct State {
        var ahead = Set<Hash256>()
        var waiting: [Hash256: [CheckedContinuation<Void, Never>]] = [:]
    }

    private let state = Mutex(State())

    /// Puts shards in line.
    func announce(_ shards: [Manifest.Shard]) { state.withLock { $0.ahead.formUnion(shards.map(\.sha256)) } }

    /// Lets those go on who wait for a shard.
    func call(_ hash: Hash256) {
        let waiting = state.withLock { state in
            state.ahead.remove(hash)
            return state.waiting.removeValue(forKey: hash) ?? []
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Ends the line; everybody goes on.
    func dismiss() {
        let waiting = state.withLock { state in
            state.ahead.removeAll()
            defer { state.waiting.removeAll() }
            return state.waiting.values.flatMap(\.self)
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns when the shard is not in line, or its turn has come.
    func turn(of hash: Hash256) async {
        await withCheckedContinuation { continuation in
            let mayGoOn = state.withLock { state in
                guard state.ahead.contains(hash) else { return true }
                state.waiting[hash, default: []].append(continuation)
                return false
            }
            if mayGoOn { continuation.resume() }
        }
    }
}
