import Verification

/// Draws every sample several times and submits the one that it likes best.
struct BestOfMany: Attack {
    let count = 4
    var name: String { "best-of-\(count)" }
    var summary: String { "the most probable of the honest sample and \(count - 1) others" }

    func forge(_ groups: [HonestGroup], in lab: AttackLab) throws -> [GroupEvidence] {
        var candidates = [groups.map(\.evidence)]
        for draw in 1..<count {
            candidates.append(
                try lab.generate(groups.map(\.terms)) { _, request in
                    request.groupID = lab.groupID(draw, of: "candidate \(request.groupID.hex)")
                })
        }
        let best = groups.indices.map { group in
            groups[group].completions.indices.map { sample in
                candidates.map { $0[group].samples[sample] }
                    .max { Self.mean($0.logProbabilities) < Self.mean($1.logProbabilities) }?.tokens ?? []
            }
        }
        return try lab.evidence(over: best, groups)
    }

    private static func mean(_ values: [Float]) -> Float { values.reduce(0, +) / Float(max(1, values.count)) }
}
