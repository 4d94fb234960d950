import Tensors
import Transformer
import Verification

/// Generates with other weights than the leased ones.
protocol WeightAttack: Attack {
    func weights(in lab: AttackLab) throws -> ModelWeights
}

extension WeightAttack {
    public func forge(_ groups: [HonestGroup], in lab: AttackLab) throws -> [GroupEvidence] {
        try lab.generate(groups.map(\.terms), with: weights(in: lab))
    }
}
