/// `log-probability-range`: one finite number, not above zero, for each token.
struct LogProbabilityRangeCheck: SubmissionCheck {
    let name = "log-probability-range"

    func examine(_ evidence: GroupEvidence, _ terms: LeaseTerms, _ rules: AuditRules) throws(Rejection) {
        for (index, sample) in evidence.samples.enumerated() {
            guard sample.logProbabilities.count == sample.tokens.count else {
                throw Rejection(
                    check: "log-probability-range", reason: "Log-probabilities and tokens differ in number.",
                    place: .init(sample: index), expected: sample.tokens.count, found: sample.logProbabilities.count)
            }
            for (position, value) in sample.logProbabilities.enumerated() where !LogProbabilityRange.contains(value) {
                throw Rejection(
                    check: "log-probability-range", reason: "A log-probability is not a finite number below zero.",
                    place: .init(sample: index, position: position), expected: "a finite number, 0 at most",
                    found: value)
            }
        }
    }
}

/// What a log-probability can be: finite, and above zero by no more than the rounding of a certain token.
enum LogProbabilityRange {
    static func contains(_ value: Float) -> Bool {
        value.isFinite && value <= 1e-5
    }
}
