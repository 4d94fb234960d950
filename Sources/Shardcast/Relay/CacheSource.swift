import Identity
import Logging
import NIOPosix

/// Serves what upstreams have, from a directory of its own that holds nothing unchecked.
///
/// Only shards that a believed manifest names are ever fetched or stored, so nobody can fill the cache; every request
/// for a shard that is not there yet joins the one transfer of it.
final class CacheSource: WeightSource {
    /// How long one request may take to bring a shard or an old manifest from upstream.
    private static let patience: Duration = .seconds(60)

    let board: VersionBoard
    let upstreams: UpstreamSet
    private let store: CacheStore
    private let gate: ManifestGate
    private let watcher: LatestWatcher
    private let concurrency: Int
    private let prefetches: Bool
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

    func shard(_ hash: Hash256) async throws(ShardcastError) -> OpenFile? {
        if let file = try store.verifiedShard(hash) { return file }
        guard let bytes = store.wantedBytes(hash) else { return nil }
        try await bring(.init(sha256: hash, bytes: bytes))
        return try store.verifiedShard(hash)
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

    /// Makes a shard verified and present: from the disk of an earlier process, else from upstream, once for all.
    private func bring(_ shard: Manifest.Shard) async throws(ShardcastError) {
        let hash = shard.sha256
        _ = try await joining { [store, upstreams] in
            try await self.shardFlights.run(hash) {
                if try await onDiskThread({ try store.recheck(hash, bytes: shard.bytes) }) { return true }
                let file = try OpenFile.writing(store.temporaryPath(hash), truncate: true)
                do {
                    _ = try await upstreams.attempt("shard \(hash.hex)", deadline: .now + Self.patience) {
                        (upstream) async throws(ShardcastError) in
                        try await upstream.shard(shard) { bytes, offset in try file.write(bytes, at: offset) }
                            ? true : nil
                    }
                    try store.adopt(hash)
                } catch {
                    try? Directories.removeFile(store.temporaryPath(hash))
                    throw error
                }
                return true
            }
        }
    }

    private func prefetch(_ signed: SignedManifest) async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for shard in Set(signed.manifest.shards) {
                if Task.isCancelled { return }
                if let overtaken = board.newest?.manifest.version, overtaken > signed.manifest.version { return }
                if running >= concurrency {
                    await group.next()
                    running -= 1
                }
                running += 1
                group.addTask {
                    do throws(ShardcastError) {
                        if try self.store.verifiedShard(shard.sha256) == nil { try await self.bring(shard) }
                    } catch {
                        self.logger.warning("\(error.message)")
                    }
                }
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
