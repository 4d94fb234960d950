import Transformer

/// Saves the download: the weights of the version before, or of several versions ago.
struct PreviousVersion: WeightAttack {
    /// How many versions.
    let age: Int

    var name: String { age == 1 ? "previous-version" : "\(age)-versions-old" }
    var summary: String {
        age == 1 ? "the weights of the version before" : "weights that \(age) optimizer steps have passed by"
    }

    func weights(in lab: AttackLab) throws -> ModelWeights {
        let previous = try lab.previousWeights()
        guard age > 1 else { return previous }
        return try lab.changedWeights(name, from: previous) { [age, seed = lab.seed] in
            WeightChange.drift($0, versions: age - 1, seed: seed &+ 1)
        }
    }
}
