import Identity

/// A worker's commitment to the final hidden rows of one chunk (ARITHMETIC rule 12).
///
/// The hash covers the rows themselves together with the worker's key, so a value copied from another worker's
/// submission is worth nothing, and a verifier that reports it must have computed the rows.
public enum Commitment {
    /// The domain that the hash starts with.
    public static let domain = "apus/commit/v1"

    /// The commitment to one chunk.
    ///
    /// - Parameters:
    ///   - rows: the chunk's bf16 rows, row after row; hashed as little-endian bytes.
    ///   - workerKey: the Ed25519 key of whoever generated them.
    ///   - groupID: the group that the sample belongs to.
    ///   - sample: the sample's place in its group.
    ///   - chunk: the chunk's place in its sample.
    /// - Throws: `NonFiniteRows` for a NaN or infinity, which is never hashed.
    public static func make(
        rows: UnsafeBufferPointer<UInt16>, workerKey: PublicKey, groupID: Hash256, sample: UInt32, chunk: UInt32
    ) throws(NonFiniteRows) -> Hash256 {
        if let position = firstNonFinite(in: rows) {
            throw NonFiniteRows(sample: sample, chunk: chunk, position: position)
        }
        var hash = SHA256()
        hash.update(utf8: domain)
        hash.update(workerKey.rawBytes)
        groupID.withUnsafeBytes { hash.update($0) }
        hash.update(littleEndian: sample)
        hash.update(littleEndian: chunk)
        // Every machine that Apus runs on is little-endian; the conversion states the format where it matters.
        #if _endian(little)
            hash.update(UnsafeRawBufferPointer(rows))
        #else
            for bits in rows { hash.update([UInt8(truncatingIfNeeded: bits), UInt8(bits >> 8)]) }
        #endif
        return hash.finalize()
    }

    /// The first position that holds a NaN or an infinity (all exponent bits set).
    private static func firstNonFinite(in rows: UnsafeBufferPointer<UInt16>) -> Int? {
        var any: UInt16 = 0
        // Vectorises: adding 0x80 to the magnitude carries into the sign bit exactly if the exponent is all ones.
        for bits in rows { any |= (bits & 0x7FFF) &+ 0x80 }
        guard any & 0x8000 != 0 else { return nil }
        return rows.firstIndex { $0 & 0x7F80 == 0x7F80 }
    }
}

/// A chunk of hidden rows holds a NaN or an infinity, so its rollout fails.
public struct NonFiniteRows: Error, Hashable, Sendable, CustomStringConvertible {
    /// The sample in its group.
    public let sample: UInt32
    /// The chunk in its sample.
    public let chunk: UInt32
    /// The first offending value's flat position in the chunk.
    public let position: Int

    /// One sentence for people.
    public var description: String {
        "Sample \(sample), chunk \(chunk) has a NaN or infinity at value \(position): these weights cannot be used."
    }
}
