import Verification

/// Submits what another worker computed for the same lease, under its own key.
struct StolenGroup: Attack {
    let name = "stolen-group"
    let summary = "another worker's honest group for the same lease, under this worker's key"
    let forges = Forgery.report

    func forge(_ groups: [HonestGroup], in lab: AttackLab) throws -> [GroupEvidence] {
        try lab.generate(groups.map(\.terms), key: lab.otherKey)
    }
}
