import Verification

/// What the published package writes when it fails: zeros, by which a careless verifier divides.
struct NullProofs: ProofAttack {
    let name = "null-proofs"
    let summary = "the package's null proof, all zeros, instead of every proof"

    func proofs(
        of sample: Int, in group: HonestGroup, _ lab: AttackLab, calibration: [HonestGroup]
    ) throws -> [[UInt8]] {
        group.evidence.samples[sample].proofs.map { [UInt8](repeating: 0, count: $0.count) }
    }
}
