import Verification

/// Writes one token of its own into the middle of every sample.
struct EditedToken: Attack {
    let name = "edited-token"
    let summary = "one token in the middle replaced, all evidence computed honestly over it"

    func forge(_ groups: [HonestGroup], in lab: AttackLab) throws -> [GroupEvidence] {
        let vocabulary = Int32(lab.configuration.vocabularySize)
        let edited = groups.map { group in
            group.completions.map { tokens in
                var tokens = tokens
                let middle = tokens.count / 2
                // The last token decides how the sample ends.
                guard middle + 1 < tokens.count else { return tokens }
                let stops = group.terms.parameters.stopTokens
                repeat { tokens[middle] = (tokens[middle] + 1) % vocabulary } while stops.contains(tokens[middle])
                return tokens
            }
        }
        return try lab.evidence(over: edited, groups)
    }
}
