import Verification

/// Generates for a prompt of its own that differs by one token, and claims the leased one.
struct OtherPrompt: Attack {
    let name = "other-prompt"
    let summary = "the leased prompt with one other token"

    func forge(_ groups: [HonestGroup], in lab: AttackLab) throws -> [GroupEvidence] {
        let vocabulary = Int32(lab.configuration.vocabularySize)
        return try lab.generate(groups.map(\.terms)) { place, request in
            let middle = request.promptTokens.count / 2
            request.promptTokens[middle] = (request.promptTokens[middle] + 1) % vocabulary
        }
    }
}
