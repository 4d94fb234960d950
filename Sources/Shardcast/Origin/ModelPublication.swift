import Identity

/// A version that was published from a model directory.
public struct PublishedVersion: Sendable {
    /// What was signed.
    public let manifest: Manifest
    /// What the difference to the version before consists of; nil where there is none, or the version was there already.
    public let statistics: DeltaStatistics?

    /// What somebody fetches who has the version before: the difference, else everything.
    public var bytes: UInt64 { manifest.delta?.bytes ?? manifest.totalBytes }
}

extension OriginDirectory {
    /// Publishes every file of a Hugging Face directory that a version may contain, the weights as a difference to the
    /// newest version where that is possible.
    ///
    /// Whatever stands in a difference's way (another layout of tensors, no version before, a damaged copy of it) makes the
    /// version a whole one.
    ///
    /// - Parameter modelDirectory: Files that nobody writes to meanwhile.
    /// - Parameter anchors: When the version is whole although a difference would do.
    /// - Parameter taking: Whether the directory is given away: it is moved instead of copied.
    /// - Returns: The manifest that clients now find as the newest.
    /// - Throws: ``ShardcastError``; nothing of the version is visible then.
    @discardableResult
    public func publish(
        modelDirectory: String, version: UInt64, step: UInt64, weightsHash: Hash256,
        anchors: AnchorPolicy = AnchorPolicy(), taking: Bool = false, lifetime: Duration? = nil
    ) throws(ShardcastError) -> PublishedVersion {
        let label = VersionLabel(version: version, step: step, weightsHash: weightsHash, lifetime: lifetime)
        let files = try PublishedFile.files(inModelDirectory: modelDirectory)
        return try state.withLock { (state) throws(ShardcastError) in
            if let earlier = try earlierPublication(label, state) {
                return PublishedVersion(manifest: earlier, statistics: nil)
            }
            let before = try head(&state)
            var statistics: DeltaStatistics?
            let manifest = try publish(label, &state) { (state, pending) throws(ShardcastError) in
                guard let before, let draft = try difference(to: modelDirectory, from: before, label) else {
                    return try whole(files, modelDirectory, nil, before, &pending)
                }
                statistics = draft.statistics
                let full = draft.files.reduce(0) { $0 + $1.bytes }
                let chain = chain(endingAt: before, state)
                if anchors.isAnchorDue(chain: chain.lengths, delta: draft.statistics.bytes, full: full) {
                    let isOffered = anchors.isWorthwhile(delta: draft.statistics.bytes, full: full)
                    return try whole(files, modelDirectory, isOffered ? draft : nil, before, &pending)
                }
                return try part(files, draft, before, anchor: chain.anchor, &pending)
            }
            adoptHead(modelDirectory, manifest, isGiven: taking, &state)
            try observe(.headReplaced)
            return PublishedVersion(manifest: manifest, statistics: statistics)
        }
    }

    /// Writes the difference beside the shards; nil where there can be none.
    private func difference(
        to directory: String, from before: Manifest, _ label: VersionLabel
    ) throws(ShardcastError) -> DeltaEncoder.Draft? {
        let names = try PublishedFile.files(inModelDirectory: directory).map(\.name).filter(FileName.isWeights)
        guard Set(names) == Set(before.weightFiles.map(\.name)) else { return nil }
        let full = before.weightFiles.reduce(0) { $0 + $1.bytes }
        do throws(ShardcastError) {
            return try DeltaEncoder(path: "\(layout.temporary)/\(DeltaFormat.name(label.version))", limit: full)
                .encode(
                    names, from: layout.head(before.version), to: directory,
                    hashes: (before.weightsHash, label.weightsHash))
        } catch {
            // No room is no room for a whole version either; anything else is a reason to publish it whole.
            if error.kind == .noSpace { throw error }
            return nil
        }
    }

    /// The differences since the last whole version, oldest last.
    private func chain(endingAt newest: Manifest, _ state: borrowing State) -> (lengths: [UInt64], anchor: UInt64) {
        var lengths: [UInt64] = []
        var current = newest
        while current.kind == .delta, let delta = current.delta, let base = current.base,
            let next = state.live[base]?.manifest
        {
            lengths.append(delta.bytes)
            current = next
        }
        return (lengths, current.version)
    }

    /// A whole version, with a difference beside it for those who have the one before.
    private func whole(
        _ files: [PublishedFile], _ directory: String, _ draft: DeltaEncoder.Draft?, _ before: Manifest?,
        _ pending: inout [PendingFile]
    ) throws(ShardcastError) -> VersionContents {
        var contents = VersionContents(
            files: try writeShards(of: files, &pending), tensors: try TensorListing.tensors(of: files, in: directory),
            kind: .full, base: nil, anchor: nil, delta: nil)
        if let draft, let before {
            contents.delta = try delta(draft, &pending)
            contents.base = BaseVersion(version: before.version, weightsHash: before.weightsHash)
        }
        return contents
    }

    /// A version of which only the difference and the files beside the weights can be fetched.
    private func part(
        _ files: [PublishedFile], _ draft: DeltaEncoder.Draft, _ before: Manifest, anchor: UInt64,
        _ pending: inout [PendingFile]
    ) throws(ShardcastError) -> VersionContents {
        var entries: [Manifest.File] = []
        for file in files {
            if let made = draft.files.first(where: { $0.name == file.name }) {
                entries.append(Manifest.File(name: made.name, bytes: made.bytes, sha256: made.sha256, shards: []))
                continue
            }
            // Cut as before where the content is as before: everybody has those shards.
            let source = try PublishedSource(file)
            let known = before.files.first { $0.name == file.name && $0.bytes == source.bytes }
            if let known, try source.hash() == known.sha256 {
                entries.append(known)
            } else {
                entries += try writeShards(of: [file], &pending)
            }
        }
        return VersionContents(
            files: entries, tensors: [], kind: .delta,
            base: BaseVersion(version: before.version, weightsHash: before.weightsHash), anchor: anchor,
            delta: try delta(draft, &pending))
    }

    private func delta(
        _ draft: DeltaEncoder.Draft, _ pending: inout [PendingFile]
    ) throws(ShardcastError) -> Manifest.Delta? {
        let file = PublishedFile(name: "model.delta", contents: .file(path: draft.path))
        let entry = try writeShards(of: [file], &pending).first
        try Directories.removeFile(draft.path)
        return entry.map { Manifest.Delta(bytes: $0.bytes, sha256: $0.sha256, shards: $0.shards) }
    }
}
