import Identity
import Synchronization

/// The client's directory: `v{N}` for complete versions, `.partial-v{N}` for one that is on its way.
///
/// Paths are built from integers and from names of the allow-list only. Nothing is synced: what a power cut spoils is
/// found by its hash and fetched again.
final class VersionStore: Sendable {
    /// Beside the model files of an installed version: the manifest that vouches for them.
    static let manifestName = "apus.manifest"

    let root: String
    private let lock: DirectoryLock
    private struct State {
        var installed: [UInt64: SignedManifest] = [:]
        /// Versions whose files this process wrote or hashed.
        var checked = Set<UInt64>()
        /// Versions that are being fetched now.
        var active = Set<UInt64>()
    }
    private let state = Mutex(State())

    init(directory: String, gate: ManifestGate) throws(ShardcastError) {
        root = ContentLayout(directory).root
        try Directories.create(root)
        lock = try DirectoryLock(directory: root)
        for version in try ContentLayout.versions(in: root) {
            guard let bytes = try ContentLayout.manifestBytes(at: "\(path(version))/\(Self.manifestName)") else {
                continue
            }
            // What is not believed (another run, another key) is left alone: it may be somebody's.
            guard let signed = try? gate.admit(bytes, from: path(version), version: version) else { continue }
            state.withLock { $0.installed[version] = signed }
        }
    }

    /// Lets another client have the directory.
    func close() { lock.release() }

    func path(_ version: UInt64) -> String { "\(root)/\(VersionNumber.name(version))" }
    func partialPath(_ version: UInt64) -> String { "\(root)/.partial-\(VersionNumber.name(version))" }
    /// Where the difference that makes a version lies until the version itself is here.
    func differencePath(_ version: UInt64) -> String {
        "\(root)/\(Self.differencePrefix)\(VersionNumber.name(version))"
    }
    private static let differencePrefix = ".difference-"

    var versions: [UInt64] { state.withLock { $0.installed.keys.sorted() } }
    func manifest(_ version: UInt64) -> SignedManifest? { state.withLock { $0.installed[version] } }

    /// The manifest of an installed version whose files are as they should be; a damaged version is removed.
    func intactVersion(_ version: UInt64) throws(ShardcastError) -> SignedManifest? {
        guard let signed = manifest(version) else { return nil }
        if state.withLock({ $0.checked.contains(version) }) { return signed }
        for file in signed.manifest.files {
            guard let open = try OpenFile.reading("\(path(version))/\(file.name)"), try open.size == file.bytes,
                try FileDigest.hash(open, 0..<file.bytes) == file.sha256
            else {
                try remove(version)
                return nil
            }
        }
        state.withLock { _ = $0.checked.insert(version) }
        return signed
    }

    /// Forgets that a version was found intact, so that its files are hashed before their next use.
    func distrust(_ version: UInt64) { state.withLock { _ = $0.checked.remove(version) } }

    /// Where shards of installed versions lie, newest version first.
    func locate(_ wanted: Set<Manifest.Shard>) -> [Manifest.Shard: (path: String, offset: UInt64)] {
        var found: [Manifest.Shard: (path: String, offset: UInt64)] = [:]
        let installed = state.withLock { $0.installed }
        for (version, signed) in installed.sorted(by: { $0.key > $1.key }) {
            // Weights that a difference made were never cut into shards, and have none to look for.
            for file in signed.manifest.files {
                var offset: UInt64 = 0
                for shard in file.shards {
                    if wanted.contains(shard), found[shard] == nil {
                        found[shard] = ("\(path(version))/\(file.name)", offset)
                    }
                    offset += shard.bytes
                }
            }
        }
        return found
    }

    /// Keeps the partial directory of a version from being pruned until ``end(_:)``.
    func begin(_ version: UInt64) { state.withLock { _ = $0.active.insert(version) } }
    func end(_ version: UInt64) { state.withLock { _ = $0.active.remove(version) } }

    /// Gives a complete partial version its name.
    func install(_ signed: SignedManifest) throws(ShardcastError) {
        let version = signed.manifest.version
        let partial = partialPath(version)
        let file = try OpenFile.writing("\(partial)/\(Self.manifestName)", truncate: true)
        try signed.bytes.withUnsafeBufferPointer { (buffer) throws(ShardcastError) in
            try file.write(UnsafeRawBufferPointer(buffer), at: 0)
        }
        if Directories.exists(path(version)) { try Directories.removeFlatDirectory(path(version)) }
        try Directories.rename(partial, to: path(version))
        state.withLock { state in
            state.installed[version] = signed
            state.checked.insert(version)
        }
    }

    func remove(_ version: UInt64) throws(ShardcastError) {
        state.withLock { state in
            state.installed[version] = nil
            state.checked.remove(version)
        }
        try Directories.removeFlatDirectory(path(version))
    }

    /// Removes all but the newest versions, the retained ones and the bases of both, and what is left of fetches of older ones.
    func prune(keeping count: Int, retaining retained: Set<UInt64>) throws(ShardcastError) -> [UInt64] {
        let all = versions
        let (active, manifests) = state.withLock { ($0.active, $0.installed.mapValues(\.manifest)) }
        let doomed = Manifest.superfluous(manifests, keeping: count, retaining: retained) {
            // A version that a difference made is whole here.
            $0.kind == .adapter ? $0.base : nil
        }
        for version in doomed { try remove(version) }
        if let newest = all.last {
            for name in try Directories.names(root) where name.hasPrefix(".partial-") {
                guard let version = VersionNumber.parse(name: name.dropFirst(".partial-".count)), version < newest,
                    !retained.contains(version), !active.contains(version)
                else { continue }
                try Directories.removeFlatDirectory(partialPath(version))
            }
            // Whoever reads one goes on reading; the files of its version are there to start from.
            for name in try Directories.names(root) where name.hasPrefix(Self.differencePrefix) {
                guard let version = VersionNumber.parse(name: name.dropFirst(Self.differencePrefix.count)),
                    version <= newest, !active.contains(version)
                else { continue }
                try Directories.removeFlatDirectory(differencePath(version))
            }
        }
        return doomed
    }
}
