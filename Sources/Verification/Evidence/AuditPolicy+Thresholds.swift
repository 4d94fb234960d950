import Proofs

extension AuditPolicy {
    /// A foreign engine's tolerances by name, in a fixed order; nil for the exact policy, which has none.
    var thresholds: [(name: String, value: Double)]? {
        guard case .toploc(let foreign) = self else { return nil }
        return [
            ("exponent-mismatches", Double(foreign.toploc.exponentMismatches)),
            ("mantissa-error-mean", foreign.toploc.mantissaErrorMean),
            ("mantissa-error-median", foreign.toploc.mantissaErrorMedian),
            ("sign-mismatches", Double(foreign.toploc.signMismatches)),
            ("log-probability-error", foreign.logProbabilityError),
            ("margin-mean", foreign.marginMean),
            ("largest-margin", foreign.largestMargin),
            ("end-false-rejects", foreign.endFalseRejects),
            ("copy-false-rejects", foreign.copyFalseRejects),
            ("allows-bimodal", foreign.allowsBimodal ? 1 : 0),
        ]
    }

    /// The policy of these tolerances; nil where a name is missing, unknown or out of order, or a count is none.
    init?(thresholds: [(name: String, value: Double)]) {
        var foreign = ForeignEnginePolicy()
        let known = AuditPolicy.toploc(foreign).thresholds ?? []
        guard thresholds.map(\.name) == known.map(\.name),
            thresholds.allSatisfy({ $0.value.isFinite && $0.value.sign == .plus })
        else { return nil }
        let values = thresholds.map(\.value)
        guard let exponents = Int(exactly: values[0]), let signs = Int(exactly: values[3]) else { return nil }
        foreign.toploc = ToplocPolicy(
            exponentMismatches: exponents, mantissaErrorMean: values[1], mantissaErrorMedian: values[2],
            signMismatches: signs)
        foreign.logProbabilityError = values[4]
        (foreign.marginMean, foreign.largestMargin) = (values[5], values[6])
        (foreign.endFalseRejects, foreign.copyFalseRejects) = (values[7], values[8])
        guard values[9] == 0 || values[9] == 1 else { return nil }
        foreign.allowsBimodal = values[9] == 1
        self = .toploc(foreign)
    }
}
