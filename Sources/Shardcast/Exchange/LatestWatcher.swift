import Logging
import Synchronization

/// Learns of new versions: one long poll stands at every upstream, and the first news counts.
///
/// An upstream that lags, lies or is down costs nothing but its own poll.
final class LatestWatcher: Sendable {
    struct Pace: Sendable {
        /// How long an upstream may hold an answer back.
        var longPoll: Duration = .seconds(25)
        /// How often a server is asked that does not hold answers back, such as a static one.
        var shortPoll: Duration = .milliseconds(250)
    }

    private let upstreams: UpstreamSet
    private let gate: ManifestGate
    private let board: VersionBoard
    private let floor: UInt64?
    private let pace: Pace
    private let logger: Logger
    private let accept: @Sendable (SignedManifest) async throws(ShardcastError) -> Void
    private let errors: Mutex<[ShardcastError?]>
    private let heard: Mutex<Set<Int>> = Mutex([])

    /// - Parameter floor: The newest version of an earlier life; nothing older is taken for news.
    /// - Parameter accept: Called for each newer manifest before the board shows it; an error keeps it off the board.
    init(
        upstreams: UpstreamSet, gate: ManifestGate, board: VersionBoard, floor: UInt64? = nil, pace: Pace,
        logger: Logger,
        accept: @escaping @Sendable (SignedManifest) async throws(ShardcastError) -> Void = {
            (_) throws(ShardcastError) in
        }
    ) {
        self.upstreams = upstreams
        self.gate = gate
        self.board = board
        self.floor = floor
        self.pace = pace
        self.logger = logger
        self.accept = accept
        errors = Mutex(upstreams.upstreams.map { _ in nil })
    }

    /// Watches until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for index in upstreams.upstreams.indices {
                group.addTask { await self.watch(index) }
            }
        }
    }

    /// What stands in the way at every upstream; nil as long as news may come from one of them.
    var hopelessness: ShardcastError? {
        errors.withLock { errors in
            // A server that lags may catch up; one that is somebody else's will not become ours.
            let final = errors.compactMap { $0 }.filter { $0.consequence < .suspicious && $0.kind != .wentBackwards }
            guard final.count == errors.count, let first = final.first else { return nil }
            return ShardcastError(first.kind, final.map(\.message).joined(separator: " "))
        }
    }

    /// Whether every upstream has said something by now, be it that it cannot.
    var hasHeardAll: Bool { heard.withLock { $0.count } == upstreams.upstreams.count }

    /// What is wrong now, in sentences; empty if all is well.
    var complaints: [ShardcastError] { errors.withLock { $0.compactMap { $0 } } }

    private func watch(_ index: Int) async {
        let upstream = upstreams.upstreams[index]
        var backoff = Backoff(longest: .seconds(1))
        while !Task.isCancelled {
            let known = board.newest?.manifest.version
            let begin = ContinuousClock.now
            do throws(ShardcastError) {
                let bytes = try await upstream.latest(after: known, wait: pace.longPoll)
                let isNews = try await consider(bytes, from: upstream, known: known)
                backoff.reset()
                note(nil, index)
                heard.withLock { _ = $0.insert(index) }
                if !isNews, ContinuousClock.now - begin < pace.shortPoll { try? await Task.sleep(for: pace.shortPoll) }
            } catch {
                if Task.isCancelled { return }
                note(error, index)
                heard.withLock { _ = $0.insert(index) }
                try? await Task.sleep(for: backoff.next())
            }
        }
    }

    private func consider(_ bytes: [UInt8]?, from upstream: Upstream, known: UInt64?) async throws(ShardcastError)
        -> Bool
    {
        guard let bytes else { return false }
        // Most repeated answers are the manifest that hangs there already.
        if let newest = board.newest, newest.bytes == bytes { return false }
        let signed = try gate.admit(bytes, from: upstream.address.description)
        if let known = [known, floor].compactMap({ $0 }).max(), signed.manifest.version < known {
            throw ShardcastError(
                .wentBackwards,
                "\(upstream.address) offers version \(signed.manifest.version) although version \(known) is out: "
                    + "it is stale, or replays an old manifest.")
        }
        guard (board.newest?.manifest.version).map({ $0 < signed.manifest.version }) ?? true else { return false }
        try await accept(signed)
        return board.publish(signed)
    }

    private func note(_ error: ShardcastError?, _ index: Int) {
        let changed = errors.withLock { errors in
            defer { errors[index] = error }
            return errors[index]?.kind != error?.kind
        }
        guard let error else { return }
        if changed { logger.warning("\(error.message)") }
        if let hopelessness { board.fail(hopelessness) }
    }
}
