import Verification

/// Saves half of the work: ends every sample in its middle, with a proper stop token.
struct EarlyStop: Attack {
    let name = "early-stop"
    let summary = "every sample cut in half and ended by a stop token, all evidence computed honestly over it"

    func forge(_ groups: [HonestGroup], in lab: AttackLab) throws -> [GroupEvidence] {
        let cut = groups.map { group in
            group.completions.map { tokens in
                guard tokens.count > 1, let stop = group.terms.parameters.stopTokens.first else { return tokens }
                return tokens.prefix(tokens.count / 2) + [stop]
            }
        }
        return try lab.evidence(over: cut, groups)
    }
}
