import Verification

/// Needs no model at all: the largest values all have about the same bits, so a constant fits all of them a little.
struct ConstantPolynomial: ProofAttack {
    let name = "constant-polynomial"
    let summary = "a constant near the median of the largest values instead of every proof"

    func proofs(
        of sample: Int, in group: HonestGroup, _ lab: AttackLab, calibration: [HonestGroup]
    ) throws -> [[UInt8]] {
        group.replay.samples[sample].topRows.map { top in
            let magnitudes = top.bits.map { $0 & 0x7FFF }.sorted()
            let negative = top.bits.count { $0 & 0x8000 != 0 } * 2 > top.bits.count
            let constant = magnitudes[magnitudes.count / 2] | (negative ? 0x8000 : 0)
            return [0xFF, 0xD9, UInt8(constant >> 8), UInt8(truncatingIfNeeded: constant)]
                + [UInt8](repeating: 0, count: 2 * (top.bits.count - 1))
        }
    }
}
