import Identity
import Synchronization

/// The disk side of a caching relay: believed manifests, checked shards, and what to give up when room is short.
final class CacheStore: Sendable {
    private struct Entry {
        let signed: SignedManifest
        var lastUse: UInt64
    }

    private struct State {
        var versions: [UInt64: Entry] = [:]
        /// Every shard that a kept version names, with its length.
        var wanted: [Hash256: UInt64] = [:]
        /// Shards whose bytes this process has hashed; files of an earlier process are hashed again before use.
        var verified = Set<Hash256>()
        var uses: UInt64 = 0
    }

    let layout: ContentLayout
    private let lock: DirectoryLock
    private let state = Mutex(State())
    private let maximumVersions: Int
    private let maximumBytes: UInt64

    init(directory: String, versions: Int, bytes: UInt64) throws(ShardcastError) {
        layout = ContentLayout(directory)
        try layout.create()
        lock = try DirectoryLock(directory: layout.root)
        try layout.clearTemporary()
        maximumVersions = max(versions, 1)
        maximumBytes = bytes
    }

    /// Lets another relay have the directory.
    func close() { lock.release() }

    /// Takes up the manifests that an earlier process left; what is not believed any more is removed.
    ///
    /// - Returns: The newest.
    func reopen(_ gate: ManifestGate) throws(ShardcastError) -> SignedManifest? {
        var newest: SignedManifest?
        for version in try ContentLayout.versions(in: layout.manifests) {
            let path = layout.manifest(version)
            do throws(ShardcastError) {
                guard let bytes = try ContentLayout.manifestBytes(at: path) else { continue }
                let signed = try gate.admit(bytes, from: path, version: version)
                remember(signed)
                newest = signed
            } catch  where error.consequence == .final {
                try Directories.removeFile(path)
            }
        }
        try evict()
        return newest
    }

    /// Stores a believed manifest; `latest` follows if it is the newest.
    func keep(_ signed: SignedManifest, isNewest: Bool) throws(ShardcastError) {
        // Nothing here need survive a power cut: it is checked on reopening and can be fetched again.
        try layout.replace(layout.manifest(signed.manifest.version), with: signed.bytes, durable: false)
        if isNewest { try layout.replace(layout.latest, with: signed.bytes, durable: false) }
        remember(signed)
        try evict()
    }

    func manifest(_ version: UInt64) -> SignedManifest? {
        state.withLock { state in
            state.uses += 1
            state.versions[version]?.lastUse = state.uses
            return state.versions[version]?.signed
        }
    }

    /// The length of a shard that a kept version names; nil for any other.
    func wantedBytes(_ hash: Hash256) -> UInt64? { state.withLock { $0.wanted[hash] } }

    /// A shard whose hash this process has checked; nil if it is not there.
    func verifiedShard(_ hash: Hash256) throws(ShardcastError) -> OpenFile? {
        guard state.withLock({ $0.verified.contains(hash) }) else { return nil }
        guard let file = try OpenFile.reading(layout.shard(hash)) else {
            state.withLock { _ = $0.verified.remove(hash) }
            return nil
        }
        return file
    }

    /// Hashes a shard that an earlier process left; a wrong one is removed.
    func recheck(_ hash: Hash256, bytes: UInt64) throws(ShardcastError) -> Bool {
        guard let file = try OpenFile.reading(layout.shard(hash)) else { return false }
        guard try file.size == bytes, try FileDigest.hash(file, 0..<bytes) == hash else {
            try Directories.removeFile(layout.shard(hash))
            return false
        }
        markVerified(hash)
        return true
    }

    func temporaryPath(_ hash: Hash256) -> String { "\(layout.temporary)/\(hash.hex)" }

    /// Gives a checked transfer its name.
    func adopt(_ hash: Hash256, from path: String) throws(ShardcastError) {
        try Directories.rename(path, to: layout.shard(hash))
        markVerified(hash)
    }

    private func markVerified(_ hash: Hash256) { state.withLock { _ = $0.verified.insert(hash) } }

    private func remember(_ signed: SignedManifest) {
        state.withLock { state in
            state.uses += 1
            state.versions[signed.manifest.version] = Entry(signed: signed, lastUse: state.uses)
            for shard in signed.manifest.shards { state.wanted[shard.sha256] = shard.bytes }
        }
    }

    /// Gives up the least recently used versions until count and bytes fit, and every file that none of the rest names.
    ///
    /// The base of another version goes last, however long ago it was asked for: everybody who joins needs it.
    private func evict() throws(ShardcastError) {
        let (doomed, wanted): ([UInt64], Set<String>) = state.withLock { state in
            let newest = state.versions.keys.max()
            var doomed: [UInt64] = []
            while state.versions.count > 1,
                state.versions.count > maximumVersions || state.wanted.values.reduce(0, +) > maximumBytes,
                let victim = Self.victim(state.versions, sparing: newest)
            {
                state.versions[victim] = nil
                doomed.append(victim)
                state.wanted = [:]
                for entry in state.versions.values {
                    for shard in entry.signed.manifest.shards { state.wanted[shard.sha256] = shard.bytes }
                }
            }
            state.verified.formIntersection(state.wanted.keys)
            return (doomed, Set(state.wanted.keys.map(\.hex)))
        }
        for version in doomed { try Directories.removeFile(layout.manifest(version)) }
        for name in try Directories.names(layout.shards) where !wanted.contains(name) {
            try Directories.removeFile("\(layout.shards)/\(name)")
        }
    }

    private static func victim(_ versions: [UInt64: Entry], sparing newest: UInt64?) -> UInt64? {
        let bases = Set(versions.values.compactMap(\.signed.manifest.neededBase))
        func order(_ entry: (key: UInt64, value: Entry)) -> (Int, UInt64) {
            (bases.contains(entry.key) ? 1 : 0, entry.value.lastUse)
        }
        return versions.filter { $0.key != newest }.min { order($0) < order($1) }?.key
    }
}
