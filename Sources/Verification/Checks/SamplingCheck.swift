/// `sampling`: at every position the noise dictates the token, so nobody picks among samples or tokens.
///
/// Only the canonical arithmetic can replay choices; a foreign engine's run goes without this check.
struct SamplingCheck: ReplayCheck {
    let name = "sampling"

    func compare(
        _ evidence: GroupEvidence, with replay: ReplayResult, _ rules: AuditRules,
        into statistics: inout AuditStatistics
    ) throws(Rejection) {
        guard case .exact = rules.policy else { return }
        for (index, sample) in evidence.samples.enumerated() {
            let choices = replay.samples[index].replayedTokens
            for (position, choice) in choices.enumerated() where choice != sample.tokens[position] {
                throw Rejection(
                    check: name, reason: "The token is not the one that the group's noise dictates.",
                    place: .init(sample: index, position: position), expected: choice, found: sample.tokens[position])
            }
            statistics.replayedTokens += choices.count
        }
    }
}
