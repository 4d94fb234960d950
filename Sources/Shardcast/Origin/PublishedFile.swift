import Identity

/// A file to be published: its name in the version, and where its bytes are now.
public struct PublishedFile: Sendable {
    /// Where the bytes come from.
    public enum Contents: Sendable {
        /// A file on this machine; read shard by shard, so it may be larger than memory.
        case file(path: String)
        /// Bytes in memory.
        case bytes([UInt8])
    }

    /// The name in the version; one that ``FileName`` allows.
    public let name: String
    /// Where the bytes come from.
    public let contents: Contents

    /// Creates an entry.
    public init(name: String, contents: Contents) {
        self.name = name
        self.contents = contents
    }

    /// Every file of a Hugging Face directory that a version may contain, small files first.
    ///
    /// - Throws: ``ShardcastError`` if the directory cannot be read or holds nothing to publish.
    public static func files(inModelDirectory path: String) throws(ShardcastError) -> [PublishedFile] {
        let names = try Directories.names(path).filter { FileName.isAllowed($0) && !FileName.adapter.contains($0) }
        guard names.contains(where: { $0.hasSuffix(".safetensors") }) else {
            throw ShardcastError(
                .storage, "\(path) holds no model.safetensors: it is not a model directory, or not a complete one.")
        }
        let small = names.filter { !$0.hasSuffix(".safetensors") }.sorted()
        let large = names.filter { $0.hasSuffix(".safetensors") }.sorted()
        return (small + large).map { PublishedFile(name: $0, contents: .file(path: "\(path)/\($0)")) }
    }

    /// The files of an adapter's directory.
    static func files(inAdapterDirectory path: String) -> [PublishedFile] {
        FileName.adapter.sorted().map { PublishedFile(name: $0, contents: .file(path: "\(path)/\($0)")) }
    }
}

/// An open source of bytes whose length is known.
struct PublishedSource {
    private enum Backing {
        case file(OpenFile)
        case bytes([UInt8])
    }

    let name: String
    let bytes: UInt64
    private let backing: Backing

    init(_ file: PublishedFile) throws(ShardcastError) {
        name = file.name
        switch file.contents {
        case .bytes(let contents):
            backing = .bytes(contents)
            bytes = UInt64(contents.count)
        case .file(let path):
            guard let open = try OpenFile.reading(path) else {
                throw ShardcastError(.storage, "\(path) cannot be published: there is no such file.")
            }
            backing = .file(open)
            bytes = try open.size
        }
    }

    /// SHA-256 of everything.
    func hash() throws(ShardcastError) -> Hash256 {
        switch backing {
        case .bytes(let contents): return SHA256.hash(contents)
        case .file(let file): return try FileDigest.hash(file, 0..<bytes)
        }
    }

    /// Gives exactly the bytes of a range to `body`; `buffer` must hold that many.
    func withBytes<R>(
        _ range: Range<UInt64>, buffer: UnsafeMutableRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws(ShardcastError) -> R
    ) throws(ShardcastError) -> R {
        switch backing {
        case .bytes(let contents):
            return try contents.withUnsafeBufferPointer { (all) throws(ShardcastError) in
                try body(
                    UnsafeRawBufferPointer(
                        rebasing: UnsafeRawBufferPointer(all)[Int(range.lowerBound)..<Int(range.upperBound)]))
            }
        case .file(let file):
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(range.upperBound - range.lowerBound)])
            guard try file.read(into: part, at: range.lowerBound) == part.count else {
                throw ShardcastError(
                    .storage, "\(file.path) became shorter while it was published: publish files that nobody writes to."
                )
            }
            return try body(UnsafeRawBufferPointer(part))
        }
    }
}
