import Foundation

/// `end-probability`: a sample does not end with a stop token that the model would hardly ever have said there.
struct EndCheck: ReplayCheck {
    let name = "end-probability"

    func compare(
        _ evidence: GroupEvidence, with replay: ReplayResult, _ rules: AuditRules,
        into statistics: inout AuditStatistics
    ) throws(Rejection) {
        guard case .toploc(let foreign) = rules.policy else { return }
        for (index, sample) in evidence.samples.enumerated() where sample.finishReason == .stop {
            guard let last = replay.samples[index].logProbabilities.last else { continue }
            let probability = exp(Double(last))
            guard probability >= foreign.endProbability else {
                throw Rejection(
                    check: name, reason: "The sample ends where the model would have gone on.",
                    place: .init(sample: index, position: sample.tokens.count - 1),
                    expected: "a probability of at least \(foreign.endProbability)", found: probability)
            }
            statistics.endProbability = min(statistics.endProbability, probability)
        }
    }
}
