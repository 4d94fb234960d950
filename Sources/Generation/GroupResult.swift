import Identity
import Proofs
import Sampling

/// A finished group: every sample, in order.
public struct GroupResult: Sendable, Hashable {
    /// What was asked for.
    public let request: GroupRequest
    /// The samples, by their place in the group.
    public let samples: [SampleResult]
    /// The version of the weights that made every token of it.
    public let version: UInt64

    /// The group.
    public var groupID: Hash256 { request.groupID }

    /// Pairs a request with its samples.
    public init(request: GroupRequest, samples: [SampleResult], version: UInt64 = 0) {
        self.request = request
        self.samples = samples
        self.version = version
    }
}

/// One finished completion with its evidence.
public struct SampleResult: Sendable, Hashable {
    /// Sampled tokens, the stop token included.
    public var tokens: [Int32]
    /// The log-probability of each token over the whole vocabulary.
    public var logProbabilities: [Float]
    /// Why it ended.
    public var finishReason: FinishReason
    /// The commitment to each chunk of 32 rows; empty where no evidence was asked for.
    public var commitments: [Hash256]
    /// The TOPLOC proof of each chunk; empty where no evidence was asked for.
    public var proofs: [ToplocProof]

    /// Takes one sample's values.
    public init(
        tokens: [Int32], logProbabilities: [Float], finishReason: FinishReason, commitments: [Hash256],
        proofs: [ToplocProof]
    ) {
        self.tokens = tokens
        self.logProbabilities = logProbabilities
        self.finishReason = finishReason
        self.commitments = commitments
        self.proofs = proofs
    }
}
