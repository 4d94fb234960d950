import Identity
import Synchronization

/// One shard from whichever upstream delivers it first.
///
/// The first copy goes where the caller writes it. A second one is asked for elsewhere when the first takes too long
/// (``HedgeRule``), and goes to a file of its own, since two servers must never write to one place.
struct HedgedTransfer: Sendable {
    /// How often the time that a shard may take is looked at again.
    private static let reconsider: Duration = .milliseconds(200)

    let upstreams: UpstreamSet
    let deadline: ContinuousClock.Instant
    /// Makes the file that a second copy is written to.
    let spare: @Sendable () throws -> OpenFile

    private enum Event: Sendable {
        case delivered
        case isLate
        case spareDelivered(OpenFile)
        case spareFailed
    }

    /// What both copies have come to.
    private final class Tally: Sendable {
        struct State {
            var upstream = 0
            /// When the copies were asked for, the first one most recently.
            var firstAsked = ContinuousClock.now
            var secondAsked = ContinuousClock.now
            var first: UInt64 = 0
            var second: UInt64 = 0
            /// What the first copy had when the second was asked for.
            var firstBefore: UInt64 = 0
            var isSecondBetter = false
            var reserved: UInt64 = 0
        }

        let state = Mutex(State())
    }

    /// Brings a shard, checked.
    ///
    /// - Parameter write: Takes consecutive pieces of the first copy, from the beginning again where a server failed.
    /// - Returns: The file with the second copy if that was first, which the caller removes; nil if `write` has the shard.
    /// - Throws: ``ShardcastError``.
    func run(
        _ shard: Manifest.Shard, _ write: @escaping @Sendable (UnsafeRawBufferPointer, UInt64) throws -> Void
    ) async throws(ShardcastError) -> OpenFile? {
        let tally = Tally()
        defer {
            let end = tally.state.withLock { $0 }
            // What the loser got since there were two; what a stuck server had sent before would have been lost anyhow.
            if end.reserved > 0 {
                let wasted = end.isSecondBetter ? end.first - end.firstBefore : end.second
                upstreams.hedging.withLock { $0.settle(end.reserved, wasting: wasted) }
            }
        }
        do {
            let winner = try await race(shard, tally, write)
            // What a server took for it: neither failures before, nor the wait until a second copy was asked for.
            let asked = tally.state.withLock { winner == nil ? $0.firstAsked : $0.secondAsked }
            upstreams.hedging.withLock { $0.delivered(shard.bytes, in: .now - asked) }
            return winner
        } catch let error as ShardcastError {
            throw error
        } catch {
            throw ShardcastError(.shutDown, "Fetching shard \(shard.sha256.hex) was cancelled.")
        }
    }

    private func race(
        _ shard: Manifest.Shard, _ tally: Tally,
        _ write: @escaping @Sendable (UnsafeRawBufferPointer, UInt64) throws -> Void
    ) async throws -> OpenFile? {
        let alarm: @Sendable () async throws -> Event = {
            let began = ContinuousClock.now
            while true {
                // Asked again meanwhile: what other shards took since is news about how long this one may take.
                let due = began + upstreams.hedging.withLock { $0.delay(bytes: shard.bytes) }
                if due <= .now { return .isLate }
                try await Task.sleep(until: min(due, .now + Self.reconsider), clock: .continuous)
            }
        }
        return try await withThrowingTaskGroup(of: Event.self) { group in
            group.addTask {
                try await upstreams.attempt(
                    "shard \(shard.sha256.hex)", deadline: deadline,
                    chosen: { index in
                        tally.state.withLock { state in
                            state.upstream = index
                            state.firstAsked = .now
                        }
                    }
                ) { (upstream) async throws(ShardcastError) in
                    try await upstream.shard(shard) { bytes, offset in
                        tally.state.withLock { $0.first += UInt64(bytes.count) }
                        try write(bytes, offset)
                    }
                }
                return .delivered
            }
            if upstreams.upstreams.count > 1 { group.addTask(operation: alarm) }
            defer { group.cancelAll() }
            var winner: OpenFile?
            waiting: while let event = try await group.next() {
                switch event {
                case .delivered: break waiting
                case .spareDelivered(let file):
                    winner = file
                    tally.state.withLock { $0.isSecondBetter = true }
                    upstreams.overtaken(tally.state.withLock { $0.upstream })
                    break waiting
                case .spareFailed: group.addTask(operation: alarm)
                case .isLate:
                    let busy = tally.state.withLock { $0.upstream }
                    if let other = upstreams.alternative(to: busy),
                        upstreams.hedging.withLock({ $0.reserve(shard.bytes) })
                    {
                        tally.state.withLock { state in
                            state.reserved += shard.bytes
                            state.firstBefore = state.first
                        }
                        group.addTask { await second(shard, from: other, tally) }
                    } else {
                        group.addTask(operation: alarm)
                    }
                }
            }
            group.cancelAll()
            // The loser may be in the middle of a write; nobody may rely on either place before it has ended.
            while let late = await group.nextResult() {
                // Both at the same moment: the first copy is where it belongs already.
                if case .success(.spareDelivered(let file)) = late { try Directories.removeFile(file.path) }
            }
            return winner
        }
    }

    private func second(_ shard: Manifest.Shard, from upstream: Upstream, _ tally: Tally) async -> Event {
        guard let file = try? spare() else { return .spareFailed }
        tally.state.withLock { $0.secondAsked = .now }
        let reply = try? await upstream.shard(shard) { bytes, offset in
            tally.state.withLock { $0.second += UInt64(bytes.count) }
            try file.write(bytes, at: offset)
        }
        if case .value? = reply { return .spareDelivered(file) }
        // A spare that stays is removed with the directory that it lies in.
        try? Directories.removeFile(file.path)
        return .spareFailed
    }
}
