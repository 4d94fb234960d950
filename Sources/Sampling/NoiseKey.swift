import Identity
import Tensors

/// Where the sampling noise of one sample comes from (ARITHMETIC rule 10).
///
/// Everything in it is fixed before a worker computes anything, and the worker's key is left out, so nobody chooses
/// luck: neither by identity, nor by time, nor by trying again.
public struct NoiseKey: Hashable, Sendable {
    /// The domain that the key material's hash starts with.
    public static let domain = "apus/sample/v1"

    /// The run.
    public let runID: Hash256
    /// The weights that generate.
    public let weightsHash: Hash256
    /// The group.
    public let groupID: Hash256
    /// The sample's place in its group.
    public let sample: UInt32

    /// Names the four things that noise depends on.
    public init(runID: Hash256, weightsHash: Hash256, groupID: Hash256, sample: UInt32) {
        self.runID = runID
        self.weightsHash = weightsHash
        self.groupID = groupID
        self.sample = sample
    }

    /// SHA-256 over domain, run, weights, group and sample; the Philox words are its first 16 bytes.
    public var material: Hash256 {
        // One message on the stack: a digest context of several updates costs more than hashing so few bytes.
        let domain = NoiseKey.domain.utf8
        return withUnsafeTemporaryAllocation(byteCount: domain.count + 3 * Hash256.byteCount + 4, alignment: 1) {
            message in
            message.copyBytes(from: domain)
            var end = domain.count
            func append(_ bytes: UnsafeRawBufferPointer) {
                UnsafeMutableRawBufferPointer(rebasing: message[end...]).copyMemory(from: bytes)
                end += bytes.count
            }
            for hash in [runID, weightsHash, groupID] { hash.withUnsafeBytes(append) }
            withUnsafeBytes(of: sample.littleEndian, append)
            return SHA256.hash(UnsafeRawBufferPointer(message))
        }
    }

    /// The Philox key and counter words.
    public var words: NoiseWords {
        guard let words = material.withUnsafeBytes({ NoiseWords(material: $0) }) else {
            preconditionFailure("A hash has 32 bytes, more than the 16 that noise takes.")
        }
        return words
    }
}
