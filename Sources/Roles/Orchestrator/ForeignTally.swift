import Verification

/// How far the accepted groups of foreign engines lay from their replays, between two steps.
struct ForeignTally: Sendable {
    private var groups = 0
    private var exponentMismatches = 0
    private var mantissaErrorMean = 0.0
    private var logProbabilityError = 0.0

    mutating func add(_ statistics: AuditStatistics) {
        groups += 1
        exponentMismatches = max(exponentMismatches, statistics.exponentMismatches)
        mantissaErrorMean = max(mantissaErrorMean, statistics.mantissaErrorMean)
        logProbabilityError = max(logProbabilityError, statistics.logProbabilityError)
    }

    /// The row's values; none where every group came from the canonical arithmetic.
    var values: [(name: String, value: Double)] {
        guard groups > 0 else { return [] }
        return [
            ("rollouts/foreign", Double(groups)),
            ("foreign/exp_mismatches_max", Double(exponentMismatches)),
            ("foreign/mant_err_mean_max", mantissaErrorMean),
            ("foreign/logprob_error_max", logProbabilityError),
        ]
    }
}
