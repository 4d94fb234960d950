import Verification

/// Honest proofs of something else: the next sample's.
struct SwappedProofs: ProofAttack {
    let name = "swapped-proofs"
    let summary = "each chunk with the proof of the same chunk of the next sample"

    func proofs(
        of sample: Int, in group: HonestGroup, _ lab: AttackLab, calibration: [HonestGroup]
    ) throws -> [[UInt8]] {
        let samples = group.evidence.samples
        let next = samples[(sample + 1) % samples.count].proofs
        return samples[sample].proofs.enumerated().map { chunk, proof in
            chunk < next.count && next[chunk].count == proof.count ? next[chunk] : proof
        }
    }
}
