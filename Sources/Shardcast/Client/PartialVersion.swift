import Identity

/// A version on its way: files of full length in which checked shards stand at their places.
///
/// There is no journal of what has arrived; after a restart every place is hashed again, which is quicker than any
/// network and cannot be wrong.
final class PartialVersion: Sendable {
    private struct Place {
        let file: Int
        let offset: UInt64
    }

    private let path: String
    private let entries: [Manifest.File]
    /// The different shards, in the order in which the files need them.
    let shards: [Manifest.Shard]
    /// Whether there was something of it before.
    let isContinued: Bool
    private let files: [OpenFile]
    private let places: [Hash256: [Place]]

    /// - Parameter entries: What is to stand in the directory; everything else there is removed.
    init(path: String, entries: [Manifest.File]) throws(ShardcastError) {
        self.path = path
        self.entries = entries
        isContinued = Directories.exists(path)
        try Directories.create(path)
        let names = Set(entries.map(\.name))
        if isContinued {
            for name in try Directories.names(path) where !names.contains(name) {
                try Directories.removeFile("\(path)/\(name)")
            }
        }
        var files: [OpenFile] = []
        var places: [Hash256: [Place]] = [:]
        var shards: [Manifest.Shard] = []
        for (index, file) in entries.enumerated() {
            let open = try OpenFile.writing("\(path)/\(file.name)", truncate: false)
            if try open.size != file.bytes { try open.resize(to: file.bytes) }
            files.append(open)
            var offset: UInt64 = 0
            for shard in file.shards {
                if places[shard.sha256] == nil { shards.append(shard) }
                places[shard.sha256, default: []].append(Place(file: index, offset: offset))
                offset += shard.bytes
            }
        }
        self.files = files
        self.places = places
        self.shards = shards
    }

    /// The shards that stand correctly at all their places.
    func presentShards() throws(ShardcastError) -> Set<Manifest.Shard> {
        var present = Set<Manifest.Shard>()
        for shard in shards {
            var isThere = true
            for place in places[shard.sha256] ?? [] where isThere {
                isThere =
                    try FileDigest.hash(files[place.file], place.offset..<(place.offset + shard.bytes)) == shard.sha256
            }
            if isThere { present.insert(shard) }
        }
        return present
    }

    /// Writes a piece of a shard at all of the shard's places.
    func write(_ bytes: UnsafeRawBufferPointer, of shard: Manifest.Shard, at offset: UInt64) throws(ShardcastError) {
        for place in places[shard.sha256] ?? [] { try files[place.file].write(bytes, at: place.offset + offset) }
    }

    /// A new file beside the others for a second copy of a shard.
    func spare(_ shard: Manifest.Shard) throws(ShardcastError) -> OpenFile {
        try OpenFile.writing("\(path)/.spare-\(shard.sha256.hex)", truncate: true)
    }

    /// Puts a second copy in its places and removes the file that it came in.
    func take(_ shard: Manifest.Shard, from spare: OpenFile) throws(ShardcastError) {
        let isRight = try copy(shard, from: spare.path, at: 0)
        try Directories.removeFile(spare.path)
        guard isRight else {
            throw ShardcastError(
                .corruptFile, "\(spare.path) changed after it was checked: the disk or the memory is faulty.")
        }
    }

    /// Copies a shard from another file; false if it is not what it should be there.
    func copy(_ shard: Manifest.Shard, from path: String, at offset: UInt64) throws(ShardcastError) -> Bool {
        guard let source = try OpenFile.reading(path) else { return false }
        for place in places[shard.sha256] ?? [] {
            let hash = try FileDigest.copy(
                source, offset..<(offset + shard.bytes), to: files[place.file], at: place.offset)
            guard hash == shard.sha256 else { return false }
        }
        return true
    }

    /// Hashes whole files in step with the shards that arrive, so that almost nothing is left to hash at the end.
    ///
    /// - Parameter arrivals: Checked shards in any order; ends when all have arrived.
    /// - Throws: ``ShardcastError`` of kind `corruptFile` if a file of correct shards is not the file that was signed.
    func checkFiles(_ arrivals: AsyncStream<Hash256>) async throws {
        var arrived = Set<Hash256>()
        var iterator = arrivals.makeAsyncIterator()
        for (index, entry) in entries.enumerated() {
            var whole = SHA256()
            var offset: UInt64 = 0
            for shard in entry.shards {
                while !arrived.contains(shard.sha256) {
                    guard let next = await iterator.next() else { throw CancellationError() }
                    arrived.insert(next)
                }
                // The manifest's rules say that a file of one shard has the hash of that shard.
                if entry.shards.count > 1 {
                    let range = offset..<(offset + shard.bytes)
                    try FileDigest.update(&whole, with: files[index], range)
                }
                offset += shard.bytes
            }
            if entry.shards.count > 1, whole.finalize() != entry.sha256 {
                throw ShardcastError(
                    .corruptFile,
                    "\(files[index].path) has the right shards, but not the hash that was signed: "
                        + "the disk or the memory of this machine is faulty, or the manifest is.")
            }
        }
    }
}
