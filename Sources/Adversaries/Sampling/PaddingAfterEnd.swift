import Verification

/// Goes on after the end: padding is the cheapest token to be paid for.
struct PaddingAfterEnd: Attack {
    let name = "padding"
    let summary = "stop tokens after the stop token, up to the maximum, all evidence computed honestly over it"

    func forge(_ groups: [HonestGroup], in lab: AttackLab) throws -> [GroupEvidence] {
        let padded = groups.map { group in
            group.completions.map { tokens in
                guard let last = tokens.last, group.terms.parameters.stopTokens.contains(last) else { return tokens }
                let room = group.terms.parameters.maximumTokens - tokens.count
                return tokens + [Int32](repeating: last, count: room)
            }
        }
        return try lab.evidence(over: padded, groups)
    }
}
