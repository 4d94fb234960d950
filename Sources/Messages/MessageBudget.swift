/// How many bytes the messages about one group can need, before any of them exists.
///
/// Worst cases of the encoding: varints of the largest id, packed fields, a proof in every chunk. A run checks it at its
/// start, so that no group is generated that could never be handed in.
public struct MessageBudget: Hashable, Sendable {
    /// Completions of the group.
    public var samples: Int
    /// The longest prompt.
    public var promptTokens: Int
    /// The longest completion.
    public var completionTokens: Int
    /// Token ids lie below it.
    public var vocabularySize: Int
    /// Values in each chunk's proof.
    public var proofValues = 128

    /// A budget for groups of at most this size.
    public init(samples: Int, promptTokens: Int, completionTokens: Int, vocabularySize: Int) {
        self.samples = samples
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.vocabularySize = vocabularySize
    }

    private static let logProbabilityBytes = 4
    private static let marginBytes = 4
    private static let commitmentBytes = 34
    /// Keys, lengths, hashes and sampling parameters around the numbers.
    private static let frameBytes = 2048
    private static let sampleBytes = 64

    private var idBytes: Int { Self.varintBytes(max(0, vocabularySize - 1)) }
    private var chunks: Int { (completionTokens + Limits.standard.chunkRows - 1) / Limits.standard.chunkRows }
    private var promptBytes: Int { promptTokens * idBytes + Self.frameBytes }

    /// A group as a worker signs it.
    public var submissionBytes: Int {
        let proof = 2 * proofValues + 8
        return promptBytes + samples
            * (completionTokens * (idBytes + Self.logProbabilityBytes) + chunks * (Self.commitmentBytes + proof)
                + Self.sampleBytes)
    }

    /// A verifier's report: for each chunk the flat indices and bits of the largest values.
    public var reportBytes: Int {
        let rows = proofValues * (4 + 3) + 16
        return Self.frameBytes + samples
            * (completionTokens * (idBytes + Self.logProbabilityBytes + Self.marginBytes)
                + chunks * (Self.commitmentBytes + rows)
                + Self.sampleBytes)
    }

    /// The largest message about such a group.
    public var largestBytes: Int { max(submissionBytes, reportBytes) }

    private static func varintBytes(_ value: Int) -> Int { max(1, (Int.bitWidth - value.leadingZeroBitCount + 6) / 7) }
}
