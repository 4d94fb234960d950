import Foundation

/// `log-probability`: what the worker reports must be what its own rows give.
///
/// Under the exact policy the rows are known to be equal by now, so a different number was written by hand, or the output
/// projection failed after them: slash.
struct LogProbabilityCheck: ReplayCheck {
    let name = "log-probability"

    func compare(
        _ evidence: GroupEvidence, with replay: ReplayResult, _ rules: AuditRules,
        into statistics: inout AuditStatistics
    ) throws(Rejection) {
        for (index, sample) in evidence.samples.enumerated() {
            let expected = replay.samples[index].logProbabilities
            let errors = zip(sample.logProbabilities, expected).map { abs(Double($0) - Double($1)) }
            switch rules.policy {
            case .exact:
                for position in expected.indices
                where expected[position].bitPattern != sample.logProbabilities[position].bitPattern {
                    throw Rejection(
                        check: name, reason: "A reported log-probability is not the computed one.",
                        severity: .slash, place: .init(sample: index, position: position),
                        expected: expected[position], found: sample.logProbabilities[position])
                }
            case .toploc(let foreign):
                let median = errors.map { exp($0) - 1 }.sorted()[errors.count / 2]
                statistics.logProbabilityMedian = max(statistics.logProbabilityMedian, median)
                guard median <= foreign.logProbabilityError else {
                    throw Rejection(
                        check: name, reason: "The reported log-probabilities lie too far off.",
                        place: .init(sample: index),
                        expected: "a median error of at most \(foreign.logProbabilityError)",
                        found: median)
                }
            }
            statistics.tokens += sample.tokens.count
            statistics.logProbabilityError = max(statistics.logProbabilityError, errors.max() ?? 0)
        }
    }
}
