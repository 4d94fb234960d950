import Identity

/// One fetch of one version, from the question whether it is there to the rename that installs it.
struct VersionFetch: Sendable {
    let store: VersionStore
    let upstreams: UpstreamSet
    let concurrency: Int
    let deadline: ContinuousClock.Instant

    func run(
        _ version: UInt64, manifest: @Sendable () async throws(ShardcastError) -> SignedManifest,
        _ progress: (@Sendable (FetchProgress) -> Void)?
    ) async throws -> FetchedVersion {
        let begin = ContinuousClock.now
        if store.manifest(version) != nil, let intact = try await onDiskThread({ try store.intactVersion(version) }) {
            return FetchedVersion(
                version: version, path: store.path(version), manifest: intact.manifest, bytesTransferred: 0,
                bytesReused: intact.manifest.totalBytes, duration: .now - begin)
        }
        let signed = try await manifest()
        store.begin(version)
        defer { store.end(version) }
        let meter = FetchMeter(signed.manifest, report: progress)
        meter.countReceived(signed.bytes.count)
        let partial = try PartialVersion(path: store.partialPath(version), manifest: signed.manifest)
        let present = try await reuse(partial, meter)
        let missing = partial.shards.filter { !present.contains($0) }
        try Directories.requireSpace(missing.reduce(0) { $0 + $1.bytes }, at: store.root)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (arrivals, arrive) = AsyncStream.makeStream(of: Hash256.self)
            for shard in present { arrive.yield(shard.sha256) }
            group.addTask { try await partial.checkFiles(arrivals) }
            group.addTask {
                try await transfer(missing, into: partial, meter, arrive)
                arrive.finish()
            }
            // Not waitForAll(), which lets the others go on after the first error.
            while try await group.next() != nil {}
        }
        try store.install(signed)
        return FetchedVersion(
            version: version, path: store.path(version), manifest: signed.manifest, bytesTransferred: meter.received,
            bytesReused: meter.reused, duration: .now - begin)
    }

    /// Finds shards in an interrupted fetch and in earlier versions, whose small files are mostly the same.
    private func reuse(_ partial: PartialVersion, _ meter: FetchMeter) async throws -> Set<Manifest.Shard> {
        var present = Set<Manifest.Shard>()
        if partial.isContinued { present = try await onDiskThread { try partial.presentShards() } }
        let located = store.locate(Set(partial.shards).subtracting(present))
        if !located.isEmpty {
            let copied = try await onDiskThread {
                try located.filter { try partial.copy($0.key, from: $0.value.path, at: $0.value.offset) }
            }
            present.formUnion(copied.keys)
        }
        for shard in present { meter.countReused(shard.bytes) }
        return present
    }

    private func transfer(
        _ shards: [Manifest.Shard], into partial: PartialVersion, _ meter: FetchMeter,
        _ arrive: AsyncStream<Hash256>.Continuation
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, shard) in shards.enumerated() {
                if index >= concurrency { try await group.next() }
                group.addTask {
                    _ = try await upstreams.attempt("shard \(shard.sha256.hex)", deadline: deadline) {
                        (upstream) async throws(ShardcastError) in
                        try await upstream.shard(shard) { bytes, offset in
                            meter.countReceived(bytes.count)
                            try partial.write(bytes, of: shard, at: offset)
                        } ? true : nil
                    }
                    meter.countDone(shard.bytes)
                    arrive.yield(shard.sha256)
                }
            }
            while try await group.next() != nil {}
        }
    }
}
