/// `version`: both sides must speak the same schema and compute the same arithmetic.
struct VersionCheck: SubmissionCheck {
    let name = "version"

    func examine(_ evidence: GroupEvidence, _ terms: LeaseTerms, _ rules: AuditRules) throws(Rejection) {
        if evidence.schemaVersion != rules.schemaVersion {
            throw Rejection(
                check: "version", reason: "The group uses another wire schema.", severity: .discard,
                expected: rules.schemaVersion, found: evidence.schemaVersion)
        }
        if evidence.arithmeticVersion != rules.arithmeticVersion {
            throw Rejection(
                check: "version", reason: "The group was computed under another arithmetic.", severity: .discard,
                expected: rules.arithmeticVersion, found: evidence.arithmeticVersion)
        }
    }
}
