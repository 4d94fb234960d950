import Identity

/// Computes the identity of a set of tensors, independent of the file or files that hold them.
///
/// SHA-256 over the tensors in the order of their names' UTF-8 bytes, each as
/// u32le name length ‖ name ‖ u32le type length ‖ type (`"BF16"`) ‖ u32le rank ‖ u64le dimensions ‖ bytes.
public struct WeightsHasher {
    private var hash = SHA256()
    private var last: String?

    /// An empty set.
    public init() {}

    /// Adds the next tensor.
    ///
    /// - Precondition: names come in ascending order of their UTF-8 bytes (``precedes(_:_:)``).
    public mutating func add(name: String, type: ElementType, shape: [Int], _ bytes: UnsafeRawBufferPointer) {
        begin(name: name, type: type, shape: shape)
        update(bytes)
    }

    /// Begins the next tensor, whose bytes follow in pieces.
    ///
    /// - Precondition: names come in ascending order of their UTF-8 bytes (``precedes(_:_:)``).
    public mutating func begin(name: String, type: ElementType, shape: [Int]) {
        if let last { precondition(precedes(last, name), "tensor \(name) after \(last)") }
        last = name
        hash.update(littleEndian: UInt32(name.utf8.count))
        hash.update(utf8: name)
        hash.update(littleEndian: UInt32(type.rawValue.utf8.count))
        hash.update(utf8: type.rawValue)
        hash.update(littleEndian: UInt32(shape.count))
        for dimension in shape { hash.update(littleEndian: UInt64(dimension)) }
    }

    /// Adds the next bytes of the tensor that was begun.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        hash.update(bytes)
    }

    /// The hash of everything added.
    public consuming func finalize() -> Hash256 {
        hash.finalize()
    }
}

/// The identity of tensors in any order; see ``WeightsHasher``.
///
/// - Throws: what a source throws when it lends its bytes.
public func weightsHash(of tensors: [TensorSource]) throws -> Hash256 {
    var hasher = WeightsHasher()
    for tensor in tensors.sorted(by: { precedes($0.name, $1.name) }) {
        hasher.begin(name: tensor.name, type: tensor.type, shape: tensor.shape)
        try tensor.withBytes { hasher.update($0) }
    }
    return hasher.finalize()
}
