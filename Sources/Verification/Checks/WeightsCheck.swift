/// `weights`: the payload must name the leased version and its weights.
struct WeightsCheck: SubmissionCheck {
    let name = "weights"

    func examine(_ evidence: GroupEvidence, _ terms: LeaseTerms, _ rules: AuditRules) throws(Rejection) {
        guard evidence.policyVersion == terms.policyVersion else {
            throw Rejection(
                check: "weights", reason: "The group was generated under another policy version than leased.",
                expected: terms.policyVersion, found: evidence.policyVersion)
        }
        guard evidence.weightsHash == terms.weightsHash else {
            throw Rejection(
                check: "weights", reason: "The group was generated with other weights than leased.",
                expected: terms.weightsHash.hex, found: evidence.weightsHash.hex)
        }
    }
}
