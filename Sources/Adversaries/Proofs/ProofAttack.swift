import Verification

/// Honest tokens and rows, with other TOPLOC proofs.
protocol ProofAttack: Attack {
    func proofs(
        of sample: Int, in group: HonestGroup, _ lab: AttackLab, calibration: [HonestGroup]
    ) throws -> [[UInt8]]
}

extension ProofAttack {
    /// What is reported.
    public var forges: Forgery { .report }

    /// The honest evidence with other proofs.
    public func forge(_ groups: [HonestGroup], in lab: AttackLab) throws -> [GroupEvidence] {
        try groups.map { group in
            var evidence = group.evidence
            for index in evidence.samples.indices {
                evidence.samples[index].proofs = try proofs(of: index, in: group, lab, calibration: groups)
            }
            return evidence
        }
    }
}
