import Proofs

/// Tolerances for an engine that does not run the canonical arithmetic.
///
/// Commitments and sampling cannot be replayed there to the bit, so a run under this policy trusts tokens less. What each
/// bound sees, and what it cannot see, is measured: docs/verification.md.
public struct ForeignEnginePolicy: Sendable, Hashable {
    /// Thresholds for each chunk's proof.
    public var toploc: ToplocPolicy
    /// Largest median of exp|Δ log-probability| − 1 over a sample.
    public var logProbabilityError: Double
    /// Largest mean margin of a sample, each margin cut to ``MarginTally/clip``.
    public var marginMean: Double
    /// Largest margin of a single token.
    public var largestMargin: Double
    /// With which chance, at most, an honest sample may be refused for how it ends.
    public var endFalseRejects: Double
    /// With which chance, at most, an honest group may be refused for passages that two samples share.
    public var copyFalseRejects: Double
    /// Whether a sample may be bimodal: mostly near-certain tokens among some that are close to impossible.
    public var allowsBimodal: Bool

    /// The paper's thresholds for proofs; the others as calibrated against negative controls.
    public init(
        toploc: ToplocPolicy = .toploc, logProbabilityError: Double = 0.1, marginMean: Double = 0.05,
        largestMargin: Double = 1, endFalseRejects: Double = 0.001, copyFalseRejects: Double = 1e-9,
        allowsBimodal: Bool = false
    ) {
        self.toploc = toploc
        self.logProbabilityError = logProbabilityError
        self.marginMean = marginMean
        self.largestMargin = largestMargin
        self.endFalseRejects = endFalseRejects
        self.copyFalseRejects = copyFalseRejects
        self.allowsBimodal = allowsBimodal
    }

    /// Bounds that everything passes but a malformed or degenerate proof: to measure, never to judge.
    public static let measuring = ForeignEnginePolicy(
        toploc: ToplocPolicy(
            exponentMismatches: .max, mantissaErrorMean: .infinity, mantissaErrorMedian: .infinity,
            signMismatches: .max),
        logProbabilityError: .infinity, marginMean: .infinity, largestMargin: .infinity, endFalseRejects: 0,
        copyFalseRejects: 0, allowsBimodal: true)
}
