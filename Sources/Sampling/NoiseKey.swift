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
        var hash = SHA256()
        hash.update(utf8: NoiseKey.domain)
        hash.update(runID)
        hash.update(weightsHash)
        hash.update(groupID)
        hash.update(littleEndian: sample)
        return hash.finalize()
    }

    /// The Philox key and counter words.
    public var words: NoiseWords {
        guard let words = NoiseWords(material: material.bytes) else {
            preconditionFailure("A hash has 32 bytes, more than the 16 that noise takes.")
        }
        return words
    }
}
