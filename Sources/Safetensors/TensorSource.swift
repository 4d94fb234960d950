import Tensors

/// A named tensor whose bytes can be lent: what the writer writes and the weights hash reads.
public struct TensorSource: Sendable {
    /// The tensor's name.
    public let name: String
    /// The type of its elements.
    public let type: ElementType
    /// Its dimensions, outermost first.
    public let shape: [Int]
    /// Lends the little-endian bytes to a closure, in order, as one piece or as several.
    public let withBytes: @Sendable (_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Void

    /// A good size of one piece for sources that convert or read while they lend, in bytes.
    public static let pieceByteCount = 1 << 20

    /// Describes a tensor whose bytes are lent on demand.
    public init(
        name: String, type: ElementType, shape: [Int],
        withBytes: @escaping @Sendable (_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) {
        self.name = name
        self.type = type
        self.shape = shape
        self.withBytes = withBytes
    }

    /// A tensor over bytes in an array.
    public init(name: String, type: ElementType, shape: [Int], bytes: [UInt8]) {
        self.init(name: name, type: type, shape: shape) { body in try bytes.withUnsafeBytes(body) }
    }

    /// The size of the tensor in bytes; nil where the shape overflows.
    public var byteCount: Int? { TensorInfo.byteCount(type: type, shape: shape) }
}

extension SafetensorsFile {
    /// The tensors of the file as sources, in no particular order, read in pieces.
    public var sources: [TensorSource] {
        tensors.map { name, info in
            TensorSource(name: name, type: info.type, shape: info.shape) { body in
                let piece = Storage<UInt8>(count: min(info.range.count, TensorSource.pieceByteCount), zeroed: false)
                try withExtendedLifetime(piece) {
                    for offset in stride(from: 0, to: info.range.count, by: TensorSource.pieceByteCount) {
                        let count = min(piece.count, info.range.count - offset)
                        let bytes = UnsafeMutableRawBufferPointer(start: piece.pointer, count: count)
                        try self.read(name, at: offset, into: bytes)
                        try body(UnsafeRawBufferPointer(bytes))
                    }
                }
            }
        }
    }
}

extension TensorCollection {
    /// The tensors of all files as sources, in no particular order, read in pieces.
    public var sources: [TensorSource] {
        parts.flatMap(\.sources)
    }
}

/// Orders names by their UTF-8 bytes, the order of every list of tensors that is hashed or written.
///
/// Swift compares strings by Unicode equivalence, which is another order outside ASCII.
public func precedes(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
}
