import Verification

/// Computes one sample of each group and hands it in for all of them.
struct CopiedSample: Attack {
    let name = "copied-sample"
    let summary = "the first sample's tokens in place of every other one, all evidence computed honestly over it"

    func forge(_ groups: [HonestGroup], in lab: AttackLab) throws -> [GroupEvidence] {
        try lab.evidence(over: groups.map { group in group.completions.map { _ in group.completions[0] } }, groups)
    }
}
