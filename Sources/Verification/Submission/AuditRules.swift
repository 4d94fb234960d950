import Proofs

/// What a run demands of every group, beside the lease.
public struct AuditRules: Sendable, Hashable {
    /// The wire schema that this side speaks.
    public var schemaVersion: UInt32
    /// The canonical arithmetic that this side computes.
    public var arithmeticVersion: UInt32
    /// Token ids lie below it.
    public var vocabularySize: Int
    /// The width of the rows that are committed to.
    public var hiddenSize: Int
    /// How rows are cut into chunks.
    public var chunking: Chunking
    /// The oldest policy version whose groups can still enter a batch.
    public var oldestUsefulVersion: UInt64
    /// How a submission is compared with its replay.
    public var policy: AuditPolicy

    /// Names the rules; the defaults are what every run under the canonical arithmetic uses.
    public init(
        schemaVersion: UInt32, arithmeticVersion: UInt32, vocabularySize: Int, hiddenSize: Int,
        chunking: Chunking = .standard, oldestUsefulVersion: UInt64 = 0, policy: AuditPolicy = .exact
    ) {
        self.schemaVersion = schemaVersion
        self.arithmeticVersion = arithmeticVersion
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.chunking = chunking
        self.oldestUsefulVersion = oldestUsefulVersion
        self.policy = policy
    }
}

/// How a submission is compared with its replay.
public enum AuditPolicy: Sendable, Hashable {
    /// The canonical arithmetic: everything that is recomputed must be equal, to the bit.
    case exact
    /// A foreign engine: thresholds on TOPLOC statistics and on log-probabilities.
    case toploc(ForeignEnginePolicy)
}
