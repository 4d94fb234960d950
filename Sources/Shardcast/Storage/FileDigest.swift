import Identity

/// SHA-256 over parts of files, read in pieces of bounded size.
enum FileDigest {
    private static let pieceBytes = 1 << 20

    /// The hash of a range; if the file ends earlier, of what there is.
    static func hash(_ file: OpenFile, _ range: Range<UInt64>) throws(ShardcastError) -> Hash256 {
        var hasher = SHA256()
        try update(&hasher, with: file, range)
        return hasher.finalize()
    }

    /// Appends a range of a file to a hash.
    static func update(_ hasher: inout SHA256, with file: OpenFile, _ range: Range<UInt64>) throws(ShardcastError) {
        try read(file, range) { (bytes, _) throws(ShardcastError) in hasher.update(bytes) }
    }

    /// Copies a range of one file into another and returns its hash.
    static func copy(
        _ source: OpenFile, _ range: Range<UInt64>, to target: OpenFile, at offset: UInt64
    ) throws(ShardcastError) -> Hash256 {
        var hasher = SHA256()
        try read(source, range) { (bytes, position) throws(ShardcastError) in
            hasher.update(bytes)
            try target.write(bytes, at: offset + position - range.lowerBound)
        }
        return hasher.finalize()
    }

    private static func read(
        _ file: OpenFile, _ range: Range<UInt64>,
        _ body: (UnsafeRawBufferPointer, UInt64) throws(ShardcastError) -> Void
    ) throws(ShardcastError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(pieceBytes, range.count), alignment: 64)
        defer { buffer.deallocate() }
        var position = range.lowerBound
        while position < range.upperBound {
            let piece = UnsafeMutableRawBufferPointer(
                rebasing: buffer[..<min(buffer.count, Int(range.upperBound - position))])
            let count = try file.read(into: piece, at: position)
            if count == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: piece[..<count]), position)
            position += UInt64(count)
        }
    }
}
