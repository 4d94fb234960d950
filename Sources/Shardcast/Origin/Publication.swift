import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What a publication is told about its version.
struct VersionLabel {
    let version: UInt64
    let step: UInt64
    let weightsHash: Hash256
    let lifetime: Duration?
}

/// What a version consists of, its shards written.
struct VersionContents {
    var files: [Manifest.File]
    var tensors: [Manifest.Tensor]
    var kind: VersionKind
    var base: BaseVersion?
    var anchor: UInt64?
    var delta: Manifest.Delta?
}

/// A shard that is written, but not yet durable.
struct PendingFile {
    let hash: Hash256
    let file: OpenFile
}

extension OriginDirectory {
    /// Publishes an adapter of a full version that can be fetched here.
    ///
    /// - Parameter weightsHash: Over the merged tensors, which is what leases will name.
    /// - Returns: The manifest that clients now find as the newest.
    /// - Throws: ``ShardcastError``; nothing of the version is visible then.
    @discardableResult
    public func publish(
        adapterDirectory: String, of base: BaseVersion, version: UInt64, step: UInt64, weightsHash: Hash256,
        lifetime: Duration? = nil
    ) throws(ShardcastError) -> Manifest {
        try publish(
            files: PublishedFile.files(inAdapterDirectory: adapterDirectory), kind: .adapter, base: base,
            version: version, step: step, weightsHash: weightsHash, lifetime: lifetime)
    }

    /// Publishes a version of files as they are: shards, then its manifest, then `latest`, each synced before the next.
    ///
    /// Publishing a version again with the same weights hash and step is no error and changes nothing, so a trainer
    /// that was killed after publishing may simply repeat itself.
    ///
    /// - Parameter version: Higher than every version before.
    /// - Parameter step: The optimizer step that produced it.
    /// - Parameter weightsHash: The hash over its tensors that leases will name.
    /// - Parameter lifetime: How long clients may take it for current; nil means for ever.
    /// - Returns: The manifest, new or of the earlier publication.
    /// - Throws: ``ShardcastError`` of kind `versionTaken`, `noSpace`, `storage` or `malformedManifest`; nothing of the
    ///   version is visible then.
    @discardableResult
    public func publish(
        files: [PublishedFile], kind: VersionKind = .full, base: BaseVersion? = nil, version: UInt64, step: UInt64,
        weightsHash: Hash256, tensors: [Manifest.Tensor] = [], lifetime: Duration? = nil
    ) throws(ShardcastError) -> Manifest {
        let label = VersionLabel(version: version, step: step, weightsHash: weightsHash, lifetime: lifetime)
        return try state.withLock { (state) throws(ShardcastError) in
            try publish(label, &state) { (state, pending) throws(ShardcastError) in
                if let base { try check(base, for: version, state) }
                return VersionContents(
                    files: try writeShards(of: files, &pending), tensors: tensors, kind: kind, base: base,
                    anchor: base?.version, delta: nil)
            }
        }
    }

    /// Signs and shows what `make` wrote; takes everything back if anything fails before `latest` says so.
    func publish(
        _ label: VersionLabel, _ state: inout State,
        _ make: (borrowing State, inout [PendingFile]) throws(ShardcastError) -> VersionContents
    ) throws(ShardcastError) -> Manifest {
        if let earlier = try earlierPublication(label, state) { return earlier }
        let signed: SignedManifest
        do throws(ShardcastError) {
            var pending: [PendingFile] = []
            try observe(.begun)
            let contents = try make(state, &pending)
            let created = Int64(Date().timeIntervalSince1970 * 1000)
            signed = try SignedManifest(
                signing: Manifest(
                    run: run, version: label.version, step: label.step, weightsHash: label.weightsHash,
                    createdMilliseconds: created,
                    expiresMilliseconds: label.lifetime.map { created + $0.components.seconds * 1000 },
                    files: contents.files, tensors: contents.tensors, kind: contents.kind,
                    base: contents.base?.version, baseWeightsHash: contents.base?.weightsHash,
                    anchor: contents.anchor, delta: contents.delta),
                with: key)
            try show(signed, after: &pending)
        } catch {
            // Nobody has been told; take everything back so that the number stays free.
            try? layout.clearTemporary()
            try? Directories.removeFile(layout.manifest(label.version))
            try? collectShards(state)
            throw error
        }
        state.live[label.version] = signed
        state.highest = label.version
        try observe(.latestWritten)
        try Directories.synchronize(layout.manifests)
        return signed.manifest
    }

    /// Nobody could use a difference to something that is not there.
    private func check(_ base: BaseVersion, for version: UInt64, _ state: borrowing State) throws(ShardcastError) {
        guard let live = state.live[base.version]?.manifest, live.kind == .full, live.weightsHash == base.weightsHash
        else {
            throw ShardcastError(
                .storage,
                "Version \(version) cannot be published in \(path) on top of version \(base.version): "
                    + "that is not there as a full version with the weights \(base.weightsHash.hex); publish it first.")
        }
    }

    /// Makes shards and manifest durable, then visible, in this order: shards, `v{N}`, `latest`.
    private func show(_ signed: SignedManifest, after pending: inout [PendingFile]) throws(ShardcastError) {
        let manifest = try signed.bytes.withUnsafeBufferPointer { (bytes) throws(ShardcastError) in
            try writeTemporary(UnsafeRawBufferPointer(bytes), as: VersionNumber.name(signed.manifest.version))
        }
        try sync.synchronize(pending.map(\.file) + [manifest])
        try name(&pending)
        try Directories.synchronize(layout.shards)
        try observe(.shardsSynced)
        let target = layout.manifest(signed.manifest.version)
        try Directories.rename(manifest.path, to: target)
        try observe(.manifestWritten)
        // A second name of the same file, so that there is nothing more to wait for.
        let latest = "\(layout.temporary)/latest"
        try Directories.link(target, to: latest)
        try Directories.rename(latest, to: layout.latest)
    }

    func earlierPublication(
        _ label: VersionLabel, _ state: borrowing State
    ) throws(ShardcastError) -> Manifest? {
        let version = label.version
        guard let highest = state.highest, version <= highest else { return nil }
        guard let earlier = try signedManifest(version, state)?.manifest else {
            throw ShardcastError(
                .versionTaken,
                "Version \(version) cannot be published in \(path): version \(highest) came before it, and numbers only grow."
            )
        }
        guard earlier.weightsHash == label.weightsHash, earlier.step == label.step else {
            throw ShardcastError(
                .versionTaken,
                "Version \(version) was already published in \(path) with other weights: "
                    + "use a number above \(highest); also a rollback is a new version.")
        }
        return earlier
    }

    /// How many shards are held open before they are synced, far below any limit on open files.
    private static let openShards = 64

    /// Writes the shards that are not there yet and returns the file entries that name them.
    ///
    /// - Parameter pending: Receives the shards that are neither durable nor under their final name yet.
    func writeShards(
        of files: [PublishedFile], _ pending: inout [PendingFile]
    ) throws(ShardcastError) -> [Manifest.File] {
        var sources: [PublishedSource] = []
        for file in files {
            let source = try PublishedSource(file)
            guard source.bytes > 0 else {
                throw ShardcastError(.storage, "\(file.name) is empty and cannot be published.")
            }
            sources.append(source)
        }
        let total = sources.reduce(0) { $0 + $1.bytes }
        try Directories.requireSpace(total, at: layout.root)
        let shardBytes = ShardPlan.shardBytes(total: total)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(shardBytes), alignment: 64)
        defer { buffer.deallocate() }

        var entries: [Manifest.File] = []
        var written = Set<Hash256>()
        for source in sources {
            var whole = SHA256()
            var shards: [Manifest.Shard] = []
            var offset: UInt64 = 0
            while offset < source.bytes {
                let range = offset..<min(offset + shardBytes, source.bytes)
                let hash = try source.withBytes(range, buffer: buffer) { (bytes) throws(ShardcastError) in
                    whole.update(bytes)
                    let hash = SHA256.hash(bytes)
                    if !written.contains(hash), try !isStored(hash, bytes: bytes.count) {
                        written.insert(hash)
                        pending.append(PendingFile(hash: hash, file: try writeTemporary(bytes, as: hash.hex)))
                        try observe(.shardWritten)
                    }
                    return hash
                }
                shards.append(.init(sha256: hash, bytes: range.upperBound - range.lowerBound))
                offset = range.upperBound
                if pending.count >= Self.openShards {
                    try sync.synchronize(pending.map(\.file))
                    try name(&pending)
                }
            }
            let fileHash = whole.finalize()
            entries.append(.init(name: source.name, bytes: source.bytes, sha256: fileHash, shards: shards))
        }
        return entries
    }

    /// Gives synced shards their final names.
    private func name(_ pending: inout [PendingFile]) throws(ShardcastError) {
        for shard in pending {
            try Directories.rename(shard.file.path, to: layout.shard(shard.hash))
            try observe(.shardRenamed)
        }
        pending.removeAll()
    }

    /// A shard under its final name was synced before it got that name, so its length is all there is to check.
    private func isStored(_ hash: Hash256, bytes: Int) throws(ShardcastError) -> Bool {
        guard let file = try OpenFile.reading(layout.shard(hash)) else { return false }
        return try file.size == UInt64(bytes)
    }

    private func writeTemporary(_ bytes: UnsafeRawBufferPointer, as name: String) throws(ShardcastError) -> OpenFile {
        let file = try OpenFile.writing("\(layout.temporary)/\(name)", truncate: true)
        try file.write(bytes, at: 0)
        return file
    }
}
