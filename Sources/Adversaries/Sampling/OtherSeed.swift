import Verification

/// Samples with noise of its own choice.
struct OtherSeed: Attack {
    let name = "other-seed"
    let summary = "sampled with the noise of another group, all evidence computed honestly over it"

    func forge(_ groups: [HonestGroup], in lab: AttackLab) throws -> [GroupEvidence] {
        let lucky = try lab.generate(groups.map(\.terms)) { _, request in
            request.groupID = lab.groupID(Int(groups[0].terms.leaseID), of: "other seed \(request.groupID.hex)")
        }
        return try lab.evidence(over: lucky.map { $0.samples.map(\.tokens) }, groups)
    }
}
