import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension OriginDirectory {
    /// Publishes every file of a Hugging Face directory that a version may contain.
    ///
    /// - Returns: The manifest that clients now find as the newest.
    /// - Throws: ``ShardcastError``; nothing of the version is visible then.
    @discardableResult
    public func publish(
        modelDirectory: String, version: UInt64, step: UInt64, weightsHash: Hash256,
        tensors: [Manifest.Tensor] = [], lifetime: Duration? = nil
    ) throws(ShardcastError) -> Manifest {
        try publish(
            files: try PublishedFile.files(inModelDirectory: modelDirectory), version: version, step: step,
            weightsHash: weightsHash, tensors: tensors, lifetime: lifetime)
    }

    /// Publishes a version: shards, then its manifest, then `latest`, each synced before the next.
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
        files: [PublishedFile], version: UInt64, step: UInt64, weightsHash: Hash256, tensors: [Manifest.Tensor] = [],
        lifetime: Duration? = nil
    ) throws(ShardcastError) -> Manifest {
        try state.withLock { (state) throws(ShardcastError) in
            if let earlier = try earlierPublication(version, step: step, weightsHash: weightsHash, state) {
                return earlier
            }
            try observe(.begun)
            let entries: [Manifest.File]
            do throws(ShardcastError) {
                entries = try writeShards(of: files)
            } catch {
                try? layout.clearTemporary()
                try? collectShards(state)
                throw error
            }
            let created = Int64(Date().timeIntervalSince1970 * 1000)
            let signed: SignedManifest
            do throws(ShardcastError) {
                signed = try SignedManifest(
                    signing: Manifest(
                        run: run, version: version, step: step, weightsHash: weightsHash, createdMilliseconds: created,
                        expiresMilliseconds: lifetime.map { created + $0.components.seconds * 1000 }, files: entries,
                        tensors: tensors),
                    with: key)
                try layout.replace(layout.manifest(version), with: signed.bytes, durable: true)
                try observe(.manifestWritten)
                try layout.replace(layout.latest, with: signed.bytes, durable: true)
            } catch {
                // Without `latest` nobody has been told; take the manifest back so that the number stays free.
                try? Directories.removeFile(layout.manifest(version))
                try? collectShards(state)
                throw error
            }
            state.live[version] = signed
            state.highest = version
            try observe(.latestWritten)
            try Directories.synchronize(layout.manifests)
            return signed.manifest
        }
    }

    private func earlierPublication(
        _ version: UInt64, step: UInt64, weightsHash: Hash256, _ state: borrowing State
    ) throws(ShardcastError) -> Manifest? {
        guard let highest = state.highest, version <= highest else { return nil }
        guard let earlier = try signedManifest(version, state)?.manifest else {
            throw ShardcastError(
                .versionTaken,
                "Version \(version) cannot be published in \(path): version \(highest) came before it, and numbers only grow."
            )
        }
        guard earlier.weightsHash == weightsHash, earlier.step == step else {
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
    private func writeShards(of files: [PublishedFile]) throws(ShardcastError) -> [Manifest.File] {
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
        var pending: [(hash: Hash256, file: OpenFile)] = []
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
                        pending.append((hash, try writeTemporary(bytes, as: hash)))
                        try observe(.shardWritten)
                    }
                    return hash
                }
                shards.append(.init(sha256: hash, bytes: range.upperBound - range.lowerBound))
                offset = range.upperBound
                if pending.count >= Self.openShards { try store(&pending) }
            }
            let fileHash = whole.finalize()
            entries.append(.init(name: source.name, bytes: source.bytes, sha256: fileHash, shards: shards))
        }
        try store(&pending)
        if !written.isEmpty { try Directories.synchronize(layout.shards) }
        try observe(.shardsSynced)
        return entries
    }

    /// Syncs written shards and gives them their final names. Many at once, so that the disk works on all of them.
    private func store(_ pending: inout [(hash: Hash256, file: OpenFile)]) throws(ShardcastError) {
        for shard in pending { try shard.file.synchronize() }
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

    private func writeTemporary(_ bytes: UnsafeRawBufferPointer, as hash: Hash256) throws(ShardcastError) -> OpenFile {
        let file = try OpenFile.writing("\(layout.temporary)/\(hash.hex)", truncate: true)
        try file.write(bytes, at: 0)
        return file
    }
}
