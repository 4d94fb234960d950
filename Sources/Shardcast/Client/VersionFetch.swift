import Identity

/// One fetch of one version, from the question whether it is there to the rename that installs it.
struct VersionFetch: Sendable {
    let store: VersionStore
    let upstreams: UpstreamSet
    let concurrency: Int
    let deadline: ContinuousClock.Instant

    /// The version as it is on this machine's disk, if it is there and every byte is right.
    func present(_ version: UInt64, since begin: ContinuousClock.Instant) async throws -> FetchedVersion? {
        guard store.manifest(version) != nil, let intact = try await onDiskThread({ try store.intactVersion(version) })
        else { return nil }
        return FetchedVersion(
            version: version, path: store.path(version), manifest: intact.manifest, bytesTransferred: 0,
            bytesReused: intact.manifest.totalBytes, duration: .now - begin)
    }

    /// Fetches all files of a version that offers them.
    func whole(
        _ signed: SignedManifest, _ progress: (@Sendable (FetchProgress) -> Void)?
    ) async throws -> FetchedVersion {
        try await fetch(signed, signed.manifest.files, progress) { _ in }
    }

    /// Fetches differences and makes the version from one that is installed.
    ///
    /// - Parameter chain: The versions after `start`, in order; the last is the one that is wanted.
    /// - Throws: ``ShardcastError`` of kind `corruptDelta` if `start` or a difference is not what it should be.
    func made(
        from start: SignedManifest, _ chain: [SignedManifest], _ progress: (@Sendable (FetchProgress) -> Void)?
    ) async throws -> FetchedVersion {
        guard let target = chain.last else { return try await whole(start, progress) }
        let deltas = chain.compactMap(\.manifest.deltaFile)
        let base = store.path(start.manifest.version)
        var fetched = try await fetch(target, deltas + target.manifest.companionFiles, progress) { partial in
            let streams = try zip(chain, deltas).map { (signed, file) throws(ShardcastError) in
                try stream("\(partial)/\(file.name)", of: signed.manifest)
            }
            try DeltaApplication(streams).run(
                target.manifest.weightFiles.map { (name: $0.name, bytes: $0.bytes) }, base: base, target: partial)
            for file in deltas { try Directories.removeFile("\(partial)/\(file.name)") }
        }
        fetched.startedFrom = start.manifest.version
        return fetched
    }

    private func stream(_ path: String, of manifest: Manifest) throws(ShardcastError) -> DeltaStream {
        guard let file = try OpenFile.reading(path) else {
            throw ShardcastError(
                .storage, "\(path) was removed while it was needed: let nobody else use the directory.")
        }
        let stream = try DeltaStream(file)
        guard stream.baseWeightsHash == manifest.baseWeightsHash, stream.weightsHash == manifest.weightsHash else {
            throw stream.fault("it is not for the versions that the manifest names")
        }
        return stream
    }

    /// Brings files to the version's partial directory, lets `finish` complete it there, and installs it.
    func fetch(
        _ signed: SignedManifest, _ entries: [Manifest.File], _ progress: (@Sendable (FetchProgress) -> Void)?,
        _ finish: @escaping @Sendable (String) throws -> Void
    ) async throws -> FetchedVersion {
        let version = signed.manifest.version
        store.begin(version)
        defer { store.end(version) }
        let path = store.partialPath(version)
        let meter = try await bring(entries, of: version, to: path, progress)
        try await onDiskThread { try finish(path) }
        try store.install(signed)
        return FetchedVersion(
            version: version, path: store.path(version), manifest: signed.manifest, bytesTransferred: meter.received,
            bytesReused: meter.reused, duration: .now - meter.begin)
    }

    /// Brings files to a directory, every byte checked; what was there before of the same files is used.
    func bring(
        _ entries: [Manifest.File], of version: UInt64, to path: String,
        _ progress: (@Sendable (FetchProgress) -> Void)?
    ) async throws -> FetchMeter {
        let meter = FetchMeter(version, total: entries.reduce(0) { $0 + $1.bytes }, report: progress)
        let partial = try PartialVersion(path: path, entries: entries)
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
        return meter
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
        let pump = ShardPump(upstreams: upstreams, maximum: concurrency)
        try await pump.run(shards) { shard in
            let transfer = HedgedTransfer(upstreams: upstreams, deadline: deadline) { try partial.spare(shard) }
            let spare = try await transfer.run(shard) { bytes, offset in
                meter.countReceived(bytes.count)
                try partial.write(bytes, of: shard, at: offset)
                pump.moved(shard, to: offset + UInt64(bytes.count))
            }
            if let spare {
                meter.countReceived(Int(shard.bytes))
                try await onDiskThread { try partial.take(shard, from: spare) }
            }
            meter.countDone(shard.bytes)
            arrive.yield(shard.sha256)
        }
    }
}
