/// `copied-text`: two samples of a group do not share a passage that independent noise would hardly ever give twice.
///
/// Each sample has noise of its own, so the chance that one repeats a passage of another is the passage's probability. A
/// converged policy repeats itself honestly, and its passages are probable: they pass.
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
            guard least >= foreign.sharedLogProbability else {
                throw Rejection(
                    check: name, reason: "The sample repeats a passage of another one of its group.",
                    place: .init(sample: index),
                    expected: "a shared passage with a log-probability of at least \(foreign.sharedLogProbability)",
                    found: least)
            }
            statistics.sharedLogProbability = min(statistics.sharedLogProbability, least)
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
