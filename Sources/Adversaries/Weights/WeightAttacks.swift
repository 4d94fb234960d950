import Tensors
import Transformer
import Verification

/// Generates with other weights than the leased ones.
protocol WeightAttack: Attack {
    func weights(in lab: AttackLab) throws -> ModelWeights
}

extension WeightAttack {
    /// Generates with those weights under the leased names and noise.
    public func forge(_ groups: [HonestGroup], in lab: AttackLab) throws -> [GroupEvidence] {
        try lab.generate(groups.map(\.terms), with: weights(in: lab))
    }
}
