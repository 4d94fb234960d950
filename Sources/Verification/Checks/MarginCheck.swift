/// `margin`: for engines whose choices cannot be replayed to the bit, how far a token lies from the dictated one.
///
/// Honest arithmetic differs a little, so tokens that were almost level may change places. A token that was picked lies
/// far below the one that the noise dictates.
struct MarginCheck: ReplayCheck {
    let name = "margin"

    func compare(
        _ evidence: GroupEvidence, with replay: ReplayResult, _ rules: AuditRules,
        into statistics: inout AuditStatistics
    ) throws(Rejection) {
        guard case .toploc(let foreign) = rules.policy else { return }
        for (index, sample) in replay.samples.enumerated() {
            let tally = MarginTally(sample.margins)
            let largest = sample.margins.enumerated().max { $0.element < $1.element }
            guard tally.mean <= foreign.marginMean else {
                throw Rejection(
                    check: name, reason: "The tokens are not those that the group's noise dictates.",
                    place: .init(sample: index), expected: "a mean margin of at most \(foreign.marginMean)",
                    found: tally.mean)
            }
            if let largest, Double(largest.element) > foreign.largestMargin {
                throw Rejection(
                    check: name, reason: "The token lies far below the one that the group's noise dictates.",
                    place: .init(sample: index, position: largest.offset),
                    expected: "a margin of at most \(foreign.largestMargin)", found: largest.element)
            }
            statistics.margins.merge(tally)
            statistics.marginMean = max(statistics.marginMean, tally.mean)
            statistics.largestMargin = max(statistics.largestMargin, Double(largest?.element ?? 0))
        }
    }
}
