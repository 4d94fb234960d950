import Identity

/// The paths of an origin or cache directory, built from integers and hashes only.
///
/// `manifests/latest`, `manifests/v{N}`, `shards/{sha256}` are what HTTP clients see, so any static file server can
/// serve the directory; the rest is ours.
struct ContentLayout: Sendable {
    let root: String

    init(_ root: String) {
        var root = root
        while root.count > 1, root.last == "/" { root.removeLast() }
        self.root = root
    }

    var manifests: String { "\(root)/manifests" }
    var shards: String { "\(root)/shards" }
    /// Files being written; cleared on opening.
    var temporary: String { "\(root)/.tmp" }
    /// Manifests of versions whose shards are gone, kept so that no number is ever used twice.
    var retired: String { "\(root)/.retired" }

    /// The newest version's weights as files, from which the next difference is made; the publisher's own.
    var heads: String { "\(root)/.head" }
    func head(_ version: UInt64) -> String { "\(heads)/\(VersionNumber.name(version))" }

    var latest: String { "\(manifests)/latest" }
    func manifest(_ version: UInt64) -> String { "\(manifests)/\(VersionNumber.name(version))" }
    func retiredManifest(_ version: UInt64) -> String { "\(retired)/\(VersionNumber.name(version))" }
    func shard(_ hash: Hash256) -> String { "\(shards)/\(hash.hex)" }

    func create() throws(ShardcastError) {
        for path in [root, manifests, shards, temporary, retired] { try Directories.create(path) }
    }

    /// Removes what a killed process was writing.
    func clearTemporary() throws(ShardcastError) {
        for name in try Directories.names(temporary) { try Directories.removeFile("\(temporary)/\(name)") }
    }

    /// Puts bytes at a path so that it holds either the old or the new content, never a mixture.
    func replace(_ target: String, with bytes: [UInt8], durable: Bool) throws(ShardcastError) {
        let name = String(target.split(separator: "/").last ?? "file")
        let path = "\(temporary)/\(name).new"
        let file = try OpenFile.writing(path, truncate: true)
        do throws(ShardcastError) {
            try bytes.withUnsafeBufferPointer { (buffer) throws(ShardcastError) in
                try file.write(UnsafeRawBufferPointer(buffer), at: 0)
            }
            if durable { try file.synchronize() }
            try Directories.rename(path, to: target)
        } catch {
            try? Directories.removeFile(path)
            throw error
        }
    }

    /// The versions for which a directory of manifests holds a file, in ascending order; `latest` is not among them.
    static func versions(in directory: String) throws(ShardcastError) -> [UInt64] {
        try Directories.names(directory).compactMap { VersionNumber.parse(name: $0) }.sorted()
    }

    /// Reads a manifest file of bounded size; nil if there is none.
    static func manifestBytes(at path: String) throws(ShardcastError) -> [UInt8]? {
        guard let file = try OpenFile.reading(path) else { return nil }
        guard let bytes = try file.contents(upTo: UInt64(ManifestLimits.manifestBytes)) else {
            throw ShardcastError(.malformedManifest, "\(path) is too large for a manifest: it is damaged; remove it.")
        }
        return bytes
    }
}
