import Identity
import Logging
import NIOPosix

/// Serves what upstreams have, from a directory of its own that holds nothing unchecked.
///
/// Only shards that a believed manifest names are ever fetched or stored, so nobody can fill the cache; every request
/// for a shard that is not there yet joins the one transfer of it.
final class CacheSource: WeightSource {
    /// How long one request may take to bring a shard from upstream.
    private static let patience: Duration = .seconds(60)

    let board: VersionBoard
    let upstreams: UpstreamSet
    private let store: CacheStore
    private let gate: ManifestGate
    private let watcher: LatestWatcher
    private let concurrency: Int
    private let prefetches: Bool
    /// How long a request may wait for a shard that is being fetched; less than clients take for silence.
    private let answerWithin: Duration
    private let turns = ShardTurns()
    private let logger: Logger
    private let shardFlights = SingleFlight<Hash256, Bool>()
    private let manifestFlights = SingleFlight<UInt64, [UInt8]?>()
    /// The versions to fetch ahead; only the newest waits, older ones are overtaken.
    private let news: AsyncStream<SignedManifest>
    private let announce: AsyncStream<SignedManifest>.Continuation

    init(
        addresses: [UpstreamAddress], directory: String, gate: ManifestGate, board: VersionBoard,
        configuration: RelayConfiguration, logger: Logger
    ) throws(ShardcastError) {
        let limits = configuration.limits
        let store = try CacheStore(directory: directory, versions: limits.cachedVersions, bytes: limits.cacheBytes)
        if let newest = try store.reopen(gate) { board.publish(newest) }
        let upstreams = try UpstreamSet(
            addresses, patience: .init(), connections: limits.concurrentFetches, missingPatience: .seconds(3))
        let (news, announce) = AsyncStream.makeStream(of: SignedManifest.self, bufferingPolicy: .bufferingNewest(1))
        watcher = LatestWatcher(upstreams: upstreams, gate: gate, board: board, pace: .init(), logger: logger) {
            (signed) throws(ShardcastError) in
            try store.keep(signed, isNewest: true)
            announce.yield(signed)
            logger.info(
                "Version \(signed.manifest.version) is out.", metadata: ["bytes": "\(signed.manifest.totalBytes)"])
        }
        self.board = board
        self.upstreams = upstreams
        self.store = store
        self.gate = gate
        self.news = news
        self.announce = announce
        self.logger = logger
        concurrency = max(limits.concurrentFetches, 1)
        prefetches = configuration.prefetches
        answerWithin = limits.answerWithin
    }

    var complaint: ShardcastError? { watcher.hopelessness ?? (board.newest == nil ? watcher.complaints.first : nil) }

    func manifest(_ version: UInt64) async throws(ShardcastError) -> [UInt8]? {
        if let kept = store.manifest(version) { return kept.bytes }
        // Nothing newer than the newest exists, so a stranger's number costs the upstream at most a look at old ones.
        guard let newest = board.newest?.manifest.version, version < newest else { return nil }
        return try await joining { [upstreams, gate, store] in
            try await self.manifestFlights.run(version) {
                let upstream = upstreams.upstreams[Int(version % UInt64(upstreams.upstreams.count))]
                guard let bytes = try await upstream.manifest(version) else { return nil }
                let signed = try gate.admit(bytes, from: upstream.address.description, version: version)
                try store.keep(signed, isNewest: false)
                return signed.bytes
            }
        }
    }

    func shard(_ hash: Hash256) async throws(ShardcastError) -> SourcedShard {
        if let file = try store.verifiedShard(hash) { return .file(file) }
        guard let bytes = store.wantedBytes(hash) else { return .absent }
        guard try await isBrought(.init(sha256: hash, bytes: bytes), within: answerWithin) else { return .onItsWay }
        return try store.verifiedShard(hash).map { .file($0) } ?? .absent
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.watcher.run() }
            if prefetches {
                if let newest = board.newest { announce.yield(newest) }
                group.addTask {
                    for await signed in self.news { await self.prefetch(signed) }
                }
            }
        }
        await upstreams.shutDown()
        store.close()
    }

    /// Waits for a shard, but not for as long as the slowest line may take; the transfer goes on meanwhile.
    private func isBrought(_ shard: Manifest.Shard, within limit: Duration) async throws(ShardcastError) -> Bool {
        let (outcomes, outcome) = AsyncStream.makeStream(of: ShardcastError?.self)
        // Not a child of this request, which ends sooner: who asks again finds the transfer further on.
        Task {
            do throws(ShardcastError) {
                try await bring(shard)
                outcome.yield(nil)
            } catch {
                outcome.yield(error)
            }
            outcome.finish()
        }
        let timer = Task {
            if (try? await Task.sleep(for: limit)) != nil { outcome.finish() }
        }
        defer { timer.cancel() }
        for await failure in outcomes {
            if let failure { throw failure }
            return true
        }
        return false
    }

    /// Makes a shard verified and present: from the disk of an earlier process, else from upstream, once for all.
    private func bring(
        _ shard: Manifest.Shard, moved: @escaping @Sendable (UInt64) -> Void = { _ in }
    ) async throws(ShardcastError) {
        let hash = shard.sha256
        _ = try await joining { [store, upstreams, turns] in
            try await self.shardFlights.run(hash) {
                if try await onDiskThread({ try store.recheck(hash, bytes: shard.bytes) }) { return true }
                await turns.turn(of: hash)
                try Task.checkCancellation()
                let file = try OpenFile.writing(store.temporaryPath(hash), truncate: true)
                let transfer = HedgedTransfer(upstreams: upstreams, deadline: .now + Self.patience) {
                    try OpenFile.writing(store.temporaryPath(hash) + ".spare", truncate: true)
                }
                do {
                    let spare = try await transfer.run(shard) { bytes, offset in
                        try file.write(bytes, at: offset)
                        moved(offset + UInt64(bytes.count))
                    }
                    try store.adopt(hash, from: spare?.path ?? file.path)
                    if spare != nil { try Directories.removeFile(file.path) }
                } catch {
                    try? Directories.removeFile(file.path)
                    throw error
                }
                return true
            }
        }
    }

    /// Fetches what a version needs, in its order, until a newer one is out.
    private func prefetch(_ signed: SignedManifest) async {
        var known = Set<Hash256>()
        let shards = signed.manifest.shards.filter { known.insert($0.sha256).inserted }
        let pump = ShardPump(upstreams: upstreams, maximum: concurrency)
        turns.announce(shards)
        defer { turns.dismiss() }
        // The only error is that there is something better to do.
        try? await pump.run(shards) { shard in
            self.turns.call(shard.sha256)
            if let newest = self.board.newest?.manifest.version, newest > signed.manifest.version {
                throw CancellationError()
            }
            do throws(ShardcastError) {
                if try self.store.verifiedShard(shard.sha256) != nil { return }
                try await self.bring(shard) { bytes in pump.moved(shard, to: bytes) }
            } catch {
                self.logger.warning("\(error.message)")
            }
        }
    }

    private func joining<Value: Sendable>(
        _ operation: @Sendable () async throws -> Value
    ) async throws(ShardcastError) -> Value {
        do {
            return try await operation()
        } catch let error as ShardcastError {
            throw error
        } catch {
            throw ShardcastError(.shutDown, "The transfer was cancelled.")
        }
    }
}
