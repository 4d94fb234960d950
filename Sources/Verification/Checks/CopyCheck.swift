import Foundation

/// `copied-text`: two samples of a group do not share a passage that independent noise would hardly ever give twice.
///
/// Each sample has noise of its own, so the chance that one repeats a given passage at a given place is the passage's
/// probability. Times the pairs of samples and the pairs of places, it bounds the chance that an honest group does so
/// anywhere; that bound is the policy's. A converged policy repeats itself honestly, and its passages are probable: they pass.
struct CopyCheck: ReplayCheck {
    let name = "copied-text"

    /// Tokens of a passage that is looked for anywhere; beginnings are compared whatever their length.
    private static let passage = 16

    func compare(
        _ evidence: GroupEvidence, with replay: ReplayResult, _ rules: AuditRules,
        into statistics: inout AuditStatistics
    ) throws(Rejection) {
        // Greedy samples are all alike: there is no noise in them.
        guard case .toploc(let foreign) = rules.policy, evidence.parameters.temperature > 0 else { return }
        let (samples, tokens) = (Double(evidence.samples.count), Double(evidence.parameters.maximumTokens))
        let ways = samples * max(1, samples - 1) / 2 * tokens * tokens
        var passages: Set<Int> = []
        for (index, sample) in evidence.samples.enumerated() {
            let logProbabilities = replay.samples[index].logProbabilities
            var least = 0.0
            for other in evidence.samples[..<index] {
                var shared = 0.0
                for (position, (one, two)) in zip(sample.tokens, other.tokens).enumerated() {
                    guard one == two else { break }
                    shared += Double(logProbabilities[position])
                }
                least = min(least, shared)
            }
            let own = Self.passages(of: sample.tokens, logProbabilities)
            for passage in own where passages.contains(passage.hash) { least = min(least, passage.logProbability) }
            passages.formUnion(own.map(\.hash))
            let chance = min(1, exp(least) * ways)
            guard chance >= foreign.copyFalseRejects else {
                throw Rejection(
                    check: name, reason: "The sample repeats a passage of another one of its group.",
                    place: .init(sample: index),
                    expected: "shared passages that independent noise gives with a chance of "
                        + "\(foreign.copyFalseRejects) or more",
                    found: chance)
            }
            statistics.copyChance = min(statistics.copyChance, chance)
        }
    }

    private static func passages(
        of tokens: [Int32], _ logProbabilities: [Float]
    ) -> [(hash: Int, logProbability: Double)] {
        guard tokens.count >= passage else { return [] }
        return (0...tokens.count - passage).map { start in
            let range = start..<start + passage
            var hasher = Hasher()
            for token in tokens[range] { hasher.combine(token) }
            return (hasher.finalize(), logProbabilities[range].reduce(0) { $0 + Double($1) })
        }
    }
}
