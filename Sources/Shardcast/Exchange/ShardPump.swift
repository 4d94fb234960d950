import Identity
import Synchronization

/// Brings shards in their order, with just enough of them on their way to keep the upstreams busy.
///
/// In order, because in a tree of relays whoever is next waits for the first ones; few at a time, because transfers that
/// share a line all end late. So each level of a tree is one shard behind the one above it, not half a version.
final class ShardPump: Sendable {
    private struct State {
        /// Bytes that running transfers have still to bring.
        var left: [Hash256: UInt64] = [:]
        var outstanding: UInt64 = 0
        var running = 0
        var hasFailed = false
    }

    private let upstreams: UpstreamSet
    private let maximum: Int
    private let state = Mutex(State())
    private let room: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    /// - Parameter maximum: Transfers at the same time, however small the shards are.
    init(upstreams: UpstreamSet, maximum: Int) {
        self.upstreams = upstreams
        self.maximum = max(maximum, 1)
        (room, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Runs `bring` for every shard; the first error cancels the rest.
    ///
    /// - Parameter bring: Reports by ``moved(_:to:)``.
    func run(
        _ shards: [Manifest.Shard], _ bring: @escaping @Sendable (Manifest.Shard) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var news = room.makeAsyncIterator()
            for shard in shards {
                while !hasRoom, !Task.isCancelled { _ = await news.next() }
                if state.withLock({ $0.hasFailed }) || Task.isCancelled { break }
                begin(shard)
                group.addTask { [self] in
                    do {
                        try await bring(shard)
                        end(shard, hasFailed: false)
                    } catch {
                        end(shard, hasFailed: true)
                        throw error
                    }
                }
            }
            // Not waitForAll(), which lets the others go on after the first error.
            while try await group.next() != nil {}
            try Task.checkCancellation()
        }
    }

    /// Says how far a shard has come, counted from its beginning.
    func moved(_ shard: Manifest.Shard, to bytes: UInt64) {
        state.withLock { state in
            guard let left = state.left[shard.sha256] else { return }
            let now = shard.bytes - min(bytes, shard.bytes)
            state.left[shard.sha256] = now
            state.outstanding = state.outstanding - left + now
        }
        signal.yield()
    }

    private var hasRoom: Bool {
        let room = upstreams.room
        return state.withLock { state in
            state.running == 0 || state.hasFailed
                || (state.running < maximum && (state.running < room.transfers || state.outstanding < room.bytes))
        }
    }

    private func begin(_ shard: Manifest.Shard) {
        state.withLock { state in
            state.left[shard.sha256] = shard.bytes
            state.outstanding += shard.bytes
            state.running += 1
        }
    }

    private func end(_ shard: Manifest.Shard, hasFailed: Bool) {
        state.withLock { state in
            state.outstanding -= state.left.removeValue(forKey: shard.sha256) ?? 0
            state.running -= 1
            state.hasFailed = state.hasFailed || hasFailed
        }
        signal.yield()
    }
}
