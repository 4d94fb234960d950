import Verification

/// Samples more carefully than it was told, since sharper samples earn more reward.
struct WrongTemperature: Attack {
    let name = "wrong-temperature"
    let summary = "sampled at 0.7 times the leased temperature, all evidence computed honestly over it"

    func forge(_ groups: [HonestGroup], in lab: AttackLab) throws -> [GroupEvidence] {
        let sharp = try lab.generate(groups.map(\.terms)) { _, request in request.parameters.temperature *= 0.7 }
        return try lab.evidence(over: sharp.map { $0.samples.map(\.tokens) }, groups)
    }
}
