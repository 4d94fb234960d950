/// What an audit concluded.
public enum Verdict: Sendable, Hashable {
    /// Every check passed.
    case accepted(AuditStatistics)
    /// A check failed, and it is the worker's doing or its machine's.
    case rejected(Rejection)
    /// Nobody is blamed: the verifier's report cannot be used, and the group must be audited again.
    case inconclusive(VerifierFault)
}

/// What an accepted audit measured.
public struct AuditStatistics: Sendable, Hashable {
    /// Sampled tokens.
    public var tokens = 0
    /// Chunks whose commitments and proofs were compared.
    public var chunks = 0
    /// Tokens whose choice was replayed.
    public var replayedTokens = 0
    /// The largest number of exponent mismatches of any chunk.
    public var exponentMismatches = 0
    /// The largest mean mantissa error of any chunk.
    public var mantissaErrorMean = 0.0
    /// The largest median mantissa error of any chunk.
    public var mantissaErrorMedian = 0.0
    /// The largest number of sign mismatches of any chunk.
    public var signMismatches = 0
    /// The largest |Δ log-probability| of any token.
    public var logProbabilityError = 0.0
    /// The largest median over a sample of exp|Δ log-probability| − 1.
    public var logProbabilityMedian = 0.0
    /// How far the tokens lie from those that the noise dictates; to be summed over a worker's audits.
    public var margins = MarginTally()
    /// The largest mean margin of any sample.
    public var marginMean = 0.0
    /// The largest margin of any token.
    public var largestMargin = 0.0
    /// A bound on the chance that an honest sample ends, anywhere, as improbably as the oddest of these did.
    public var endChance = 1.0
    /// A bound on the chance that an honest group shares, anywhere, a passage as improbable as this one does.
    public var copyChance = 1.0
    /// Samples whose probabilities are those of text that another model wrote.
    public var bimodalSamples = 0

    /// Nothing measured yet.
    public init() {}
}

/// A verifier's report that does not answer the audit it was given; never held against the worker.
public struct VerifierFault: Sendable, Hashable, CustomStringConvertible {
    /// One sentence for people.
    public let reason: String

    /// Describes what is wrong with the report.
    public init(reason: String) {
        self.reason = reason
    }

    /// One sentence for people.
    public var description: String { reason }
}
