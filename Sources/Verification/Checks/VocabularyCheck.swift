/// `vocabulary`: every token must exist.
struct VocabularyCheck: SubmissionCheck {
    let name = "vocabulary"

    func examine(_ evidence: GroupEvidence, _ terms: LeaseTerms, _ rules: AuditRules) throws(Rejection) {
        for (index, sample) in evidence.samples.enumerated() {
            for (position, token) in sample.tokens.enumerated() where token < 0 || Int(token) >= rules.vocabularySize {
                throw Rejection(
                    check: "vocabulary", reason: "A token id does not exist.",
                    place: .init(sample: index, position: position), expected: "0 to \(rules.vocabularySize - 1)",
                    found: UInt32(bitPattern: token))
            }
        }
    }
}
