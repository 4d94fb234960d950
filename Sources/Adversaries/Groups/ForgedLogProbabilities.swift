import Verification

/// Reports every token a little more probable than it was.
struct ForgedLogProbabilities: Attack {
    let name = "forged-log-probabilities"
    let summary = "every log-probability raised by 0.05, at most to 0"
    let forges = Forgery.report

    func forge(_ groups: [HonestGroup], in lab: AttackLab) throws -> [GroupEvidence] {
        groups.map { group in
            var evidence = group.evidence
            for index in evidence.samples.indices {
                evidence.samples[index].logProbabilities =
                    evidence.samples[index].logProbabilities.map { min(max($0, 0), $0 + 0.05) }
            }
            return evidence
        }
    }
}
