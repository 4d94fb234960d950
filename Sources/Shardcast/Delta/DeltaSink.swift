/// A file that grows at its end and can be taken back to an earlier length.
final class DeltaSink {
    private static let pieceBytes = 1 << 20

    private let file: OpenFile
    private var waiting: [UInt8] = []
    private var written: UInt64 = 0

    init(_ path: String) throws(ShardcastError) {
        file = try OpenFile.writing(path, truncate: true)
        waiting.reserveCapacity(2 * Self.pieceBytes)
    }

    /// The length so far.
    var position: UInt64 { written + UInt64(waiting.count) }

    func append(_ bytes: UnsafeRawBufferPointer) throws(ShardcastError) {
        waiting.append(contentsOf: bytes)
        if waiting.count >= Self.pieceBytes { try flush() }
    }

    func append(_ bytes: [UInt8]) { waiting.append(contentsOf: bytes) }

    func append(littleEndian value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { waiting.append(contentsOf: $0) }
    }

    /// Forgets what was appended since the length was `position`.
    func rewind(to position: UInt64) {
        if position >= written {
            waiting.removeSubrange(Int(position - written)...)
        } else {
            waiting.removeAll(keepingCapacity: true)
            written = position
        }
    }

    /// Writes what waits and cuts off what was taken back.
    func finish() throws(ShardcastError) {
        try flush()
        try file.resize(to: written)
    }

    private func flush() throws(ShardcastError) {
        try waiting.withUnsafeBufferPointer { (bytes) throws(ShardcastError) in
            try file.write(UnsafeRawBufferPointer(bytes), at: written)
        }
        written += UInt64(waiting.count)
        waiting.removeAll(keepingCapacity: true)
    }
}
