/// How far a proof may lie from the replay before the chunk is rejected; all bounds are inclusive.
///
/// Thresholds alone never suffice: the policy also refuses degenerate polynomials, which pass loose thresholds without
/// any inference, and counts signs, which the published package ignores.
public struct ToplocPolicy: Hashable, Sendable {
    /// Most points, out of 128, whose exponents may differ.
    public var exponentMismatches: Int
    /// Largest mean mantissa error.
    public var mantissaErrorMean: Double
    /// Largest median mantissa error.
    public var mantissaErrorMedian: Double
    /// Most points whose signs may differ.
    public var signMismatches: Int

    /// Sets every bound.
    public init(
        exponentMismatches: Int, mantissaErrorMean: Double, mantissaErrorMedian: Double, signMismatches: Int
    ) {
        self.exponentMismatches = exponentMismatches
        self.mantissaErrorMean = mantissaErrorMean
        self.mantissaErrorMedian = mantissaErrorMedian
        self.signMismatches = signMismatches
    }

    /// For workers under the canonical arithmetic: a replay is equal, so nothing may differ.
    public static let exact = ToplocPolicy(
        exponentMismatches: 0, mantissaErrorMean: 0, mantissaErrorMedian: 0, signMismatches: 0)

    /// For engines with other arithmetic: the paper's 38, 10 and 8 for bf16, and as many signs as exponents.
    ///
    /// A constant has 64 ± 5.7 sign mismatches, so 38 lets it through about twice in a million chunks.
    public static let toploc = ToplocPolicy(
        exponentMismatches: 38, mantissaErrorMean: 10, mantissaErrorMedian: 8, signMismatches: 38)

    /// Whether a chunk with these statistics passes.
    public func accepts(_ statistics: ToplocStatistics) -> Bool {
        statistics.exponentMismatches <= exponentMismatches
            && statistics.mantissaErrorMean <= mantissaErrorMean
            && statistics.mantissaErrorMedian <= mantissaErrorMedian
            && statistics.signMismatches <= signMismatches
            && !statistics.isDegenerate
    }
}
