import Verification

/// Leaves proofs out, in every way that a careless parser overlooks.
struct TruncatedProofs: ProofAttack {
    let name = "truncated-proofs"
    let summary = "by turns: the last proof missing, one cut short, one coefficient short, none at all"

    func proofs(
        of sample: Int, in group: HonestGroup, _ lab: AttackLab, calibration: [HonestGroup]
    ) throws -> [[UInt8]] {
        var proofs = group.evidence.samples[sample].proofs
        let last = proofs.count - 1
        switch (Int(group.terms.leaseID) + sample) % 4 {
        case 0: proofs.removeLast()
        case 1: proofs[last].removeLast()
        case 2: proofs[last].removeLast(2)
        default: proofs = []
        }
        return proofs
    }
}
