import Identity

/// The identity of a set of tensors, independent of the file or files that hold them.
///
/// SHA-256 over the tensors in the order of their names' UTF-8 bytes, each as
/// u32le name length ‖ name ‖ u32le type length ‖ type (`"BF16"`) ‖ u32le rank ‖ u64le dimensions ‖ bytes.
///
/// - Throws: what a source throws when it lends its bytes.
public func weightsHash(of tensors: [TensorSource]) throws -> Hash256 {
    var hash = SHA256()
    for tensor in tensors.sorted(by: { precedes($0.name, $1.name) }) {
        hash.update(littleEndian: UInt32(tensor.name.utf8.count))
        hash.update(utf8: tensor.name)
        hash.update(littleEndian: UInt32(tensor.type.rawValue.utf8.count))
        hash.update(utf8: tensor.type.rawValue)
        hash.update(littleEndian: UInt32(tensor.shape.count))
        for dimension in tensor.shape { hash.update(littleEndian: UInt64(dimension)) }
        try tensor.withBytes { bytes in hash.update(bytes) }
    }
    return hash.finalize()
}
