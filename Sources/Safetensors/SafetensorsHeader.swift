import JSON

/// The parsed and fully checked header of a safetensors file.
///
/// Layout (reference: `safetensors/src/tensor.rs` of the format's own repository): an unsigned 64-bit little-endian
/// length N, N bytes of JSON, then the data section. Every rule is checked here, on bytes alone, so that the same code
/// serves files, fixtures and fuzzing:
///
/// - N is at most 100,000,000 and `8 + N` does not pass the end of the file;
/// - the JSON is one object without duplicate names; each entry has exactly `dtype`, `shape` and `data_offsets`;
/// - numbers are whole, from 0 up, without sign, fraction or exponent;
/// - sorted by offset, the tensors begin at 0 and follow one another without gap or overlap;
/// - each tensor's bytes are the product of its shape and its element size, computed with overflow checks, and whole;
/// - the data section ends exactly where the file ends.
public struct SafetensorsHeader: Sendable, Equatable {
    /// The largest header that is read, in bytes (the reference's decimal limit).
    public static let maximumByteCount = 100_000_000
    static let maximumRank = 64
    static let maximumNameByteCount = 4096
    static let maximumMetadataByteCount = 1 << 20

    /// What the header says about each tensor, by name.
    public let tensors: [String: TensorInfo]
    /// The free text entries under `__metadata__`.
    public let metadata: [String: String]
    /// Where the data section begins in the file.
    public let dataStart: Int

    /// Parses the beginning of a file.
    ///
    /// - Parameters:
    ///   - bytes: the file's bytes, at least as far as the end of the header.
    ///   - fileByteCount: the size of the whole file.
    ///   - file: the name for error messages.
    /// - Throws: `SafetensorsError` naming the first rule that is broken.
    public init(parsing bytes: UnsafeRawBufferPointer, fileByteCount: Int, file: String) throws(SafetensorsError) {
        let end = try Self.end(bytes, fileByteCount: fileByteCount, file: file)
        precondition(bytes.count >= end, "the caller reads the whole header")
        var parser = HeaderParser(file: file, reader: JSONByteReader(UnsafeRawBufferPointer(rebasing: bytes[8..<end])))
        try parser.parse()
        try Self.validateLayout(parser.tensors, dataByteCount: fileByteCount - end, file: file)
        tensors = parser.tensors
        metadata = parser.metadata
        dataStart = end
    }

    /// Where the data section begins, from the first 8 bytes of a file.
    ///
    /// - Throws: `SafetensorsError` where the file is too short for what they say.
    static func end(_ bytes: UnsafeRawBufferPointer, fileByteCount: Int, file: String) throws(SafetensorsError) -> Int {
        guard bytes.count >= 8, fileByteCount >= 8 else {
            throw SafetensorsError(.fileTooShort, file: file, "it has \(fileByteCount) bytes")
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(maximumByteCount) else {
            throw SafetensorsError(.headerTooLarge, file: file, "its header says \(length) bytes")
        }
        let end = 8 + Int(length)
        guard end <= fileByteCount else {
            throw SafetensorsError(
                .headerBeyondFile, file: file, "its header ends at byte \(end) and the file at \(fileByteCount)")
        }
        return end
    }

    private static func validateLayout(
        _ tensors: [String: TensorInfo], dataByteCount: Int, file: String
    ) throws(SafetensorsError) {
        let ordered = tensors.sorted { left, right in
            let (a, b) = (left.value.range, right.value.range)
            return a.lowerBound != b.lowerBound ? a.lowerBound < b.lowerBound : a.upperBound < b.upperBound
        }
        var previousEnd = 0
        for (name, info) in ordered {
            guard info.range.lowerBound == previousEnd else {
                throw SafetensorsError(
                    .gapOrOverlap, file: file,
                    "tensor \(name) begins at \(info.range.lowerBound) where \(previousEnd) is next")
            }
            previousEnd = info.range.upperBound
        }
        guard previousEnd == dataByteCount else {
            throw SafetensorsError(
                .wrongFileEnd, file: file, "its tensors end at \(previousEnd) and its data section at \(dataByteCount)")
        }
    }
}
