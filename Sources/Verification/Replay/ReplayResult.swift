import Identity
import Proofs

/// What a verifier computed for one group; values to compare, not an opinion.
public struct ReplayResult: Sendable, Hashable {
    /// One for each completion, in order.
    public var samples: [ReplayedSample]

    /// Takes the samples in the order of the request.
    public init(samples: [ReplayedSample]) {
        self.samples = samples
    }
}

/// What a verifier computed for one completion.
public struct ReplayedSample: Sendable, Hashable {
    /// The commitment to each chunk, under the worker's key.
    public var commitments: [Hash256]
    /// The log-probability of each token.
    public var logProbabilities: [Float]
    /// The token that the noise dictates at each position, given the tokens before it.
    public var replayedTokens: [Int32]
    /// How far each claimed token's score lies below that of the replayed one; 0 where they are the same token.
    public var margins: [Float]
    /// The largest activations of each chunk.
    public var topRows: [TopRows]

    /// Takes one sample's values.
    public init(
        commitments: [Hash256], logProbabilities: [Float], replayedTokens: [Int32], margins: [Float],
        topRows: [TopRows]
    ) {
        self.commitments = commitments
        self.logProbabilities = logProbabilities
        self.replayedTokens = replayedTokens
        self.margins = margins
        self.topRows = topRows
    }
}
