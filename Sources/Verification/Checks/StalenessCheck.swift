/// `staleness`: a version that no batch can take any more earns nothing, and nobody is blamed.
struct StalenessCheck: SubmissionCheck {
    let name = "staleness"

    func examine(_ evidence: GroupEvidence, _ terms: LeaseTerms, _ rules: AuditRules) throws(Rejection) {
        guard terms.policyVersion >= rules.oldestUsefulVersion else {
            throw Rejection(
                check: "staleness", reason: "The group came too late for any batch.", severity: .discard,
                expected: "version \(rules.oldestUsefulVersion) or newer", found: terms.policyVersion)
        }
    }
}
