import Transformer

/// The smallest change of weights that we ask a check to see: one tensor, one value in a hundred, one step of bf16.
struct PerturbedTensor: WeightAttack {
    let name = "perturbed-tensor"
    let summary = "one step of bf16 in 1 % of the values of one matrix of the last layer"

    func weights(in lab: AttackLab) throws -> ModelWeights {
        try lab.changedWeights(name) { [seed = lab.seed] master in
            guard let layer = master.layout.layers.last else { return }
            WeightChange.nudge(master[layer.down], share: 0.01, seed: seed)
        }
    }
}
