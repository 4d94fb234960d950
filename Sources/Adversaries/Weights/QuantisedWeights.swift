import Transformer

/// Saves memory: matrices rounded to a few bits.
struct QuantisedWeights: WeightAttack {
    let bits: Int
    /// Values that share a scale; nil for a whole row.
    let stretch: Int?

    var name: String { "int\(bits)-weights" }
    var summary: String {
        "matrices in \(bits) bits, one scale for " + (stretch.map { "\($0) values" } ?? "each row")
    }

    func weights(in lab: AttackLab) throws -> ModelWeights {
        try lab.changedWeights(name) { WeightChange.quantise($0, bits: bits, stretch: stretch) }
    }
}
