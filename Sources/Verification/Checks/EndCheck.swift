import Foundation

/// `end-probability`: a sample does not end with a stop token that the model would hardly ever have said anywhere.
///
/// At each of at most `max_tokens` positions, each stop token of a probability below p is drawn with a chance below p. So an
/// honest sample ends with one that is so improbable with a chance below p × stop tokens × `max_tokens`, and that product is
/// what the policy bounds: a model that seldom stops is not punished for it.
struct EndCheck: ReplayCheck {
    let name = "end-probability"

    func compare(
        _ evidence: GroupEvidence, with replay: ReplayResult, _ rules: AuditRules,
        into statistics: inout AuditStatistics
    ) throws(Rejection) {
        // A greedy sample says the most probable token, however improbable that is.
        guard case .toploc(let foreign) = rules.policy, evidence.parameters.temperature > 0 else { return }
        let ways = Double(evidence.parameters.maximumTokens) * Double(max(1, evidence.parameters.stopTokens.count))
        for (index, sample) in evidence.samples.enumerated() where sample.finishReason == .stop {
            guard let last = replay.samples[index].logProbabilities.last else { continue }
            let chance = min(1, exp(Double(last)) * ways)
            guard chance >= foreign.endFalseRejects else {
                throw Rejection(
                    check: name, reason: "The sample ends where the model would have gone on.",
                    place: .init(sample: index, position: sample.tokens.count - 1),
                    expected: "a stop token of a probability of at least \(foreign.endFalseRejects / ways)",
                    found: exp(Double(last)))
            }
            statistics.endChance = min(statistics.endChance, chance)
        }
    }
}
