/// A named tensor whose bytes can be lent: what the writer writes and the weights hash reads.
public struct TensorSource: Sendable {
    /// The tensor's name.
    public let name: String
    /// The type of its elements.
    public let type: ElementType
    /// Its dimensions, outermost first.
    public let shape: [Int]
    /// Lends the little-endian bytes to a closure.
    public let withBytes: @Sendable (_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Void

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
    /// The tensors of the file as sources, in no particular order.
    public var sources: [TensorSource] {
        tensors.map { name, info in
            TensorSource(name: name, type: info.type, shape: info.shape) { body in try self.withBytes(of: name, body) }
        }
    }
}

/// Orders names by their UTF-8 bytes, the order of every list of tensors that is hashed or written.
///
/// Swift compares strings by Unicode equivalence, which is another order outside ASCII.
public func precedes(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
}
