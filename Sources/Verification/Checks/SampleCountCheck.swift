/// `sample-count`: whole groups only, so a worker cannot keep the lucky part.
struct SampleCountCheck: SubmissionCheck {
    let name = "sample-count"

    func examine(_ evidence: GroupEvidence, _ terms: LeaseTerms, _ rules: AuditRules) throws(Rejection) {
        guard evidence.samples.count == terms.parameters.samples else {
            throw Rejection(
                check: "sample-count", reason: "The group does not hold the leased number of samples.",
                expected: terms.parameters.samples, found: evidence.samples.count)
        }
    }
}
