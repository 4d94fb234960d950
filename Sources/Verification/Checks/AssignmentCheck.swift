import Sampling

/// `environment`, `prompt` and `sampling-parameters`: what to do came from the lease, and must come back unchanged.
struct AssignmentCheck: SubmissionCheck {
    let name = "assignment"

    func examine(_ evidence: GroupEvidence, _ terms: LeaseTerms, _ rules: AuditRules) throws(Rejection) {
        guard evidence.environmentID == terms.environmentID, evidence.environmentHash == terms.environmentHash else {
            throw Rejection(
                check: "environment", reason: "The payload names another environment than the lease.",
                expected: "\(terms.environmentID) \(terms.environmentHash.hex)",
                found: "\(evidence.environmentID.prefix(64)) \(evidence.environmentHash.hex)")
        }
        if evidence.promptTokens != terms.promptTokens {
            let (ours, theirs) = (terms.promptTokens, evidence.promptTokens)
            let position =
                zip(ours, theirs).enumerated().first { $1.0 != $1.1 }?.offset ?? min(ours.count, theirs.count)
            func token(_ tokens: [Int32]) -> String { position < tokens.count ? "\(tokens[position])" : "the end" }
            throw Rejection(
                check: "prompt", reason: "The payload's prompt differs from the leased one.",
                place: .init(position: position), expected: token(ours), found: token(theirs))
        }
        guard evidence.parameters == terms.parameters else {
            throw Rejection(
                check: "sampling-parameters", reason: "The payload's sampling parameters differ from the leased ones.",
                expected: describe(terms.parameters), found: describe(evidence.parameters))
        }
    }

    private func describe(_ parameters: SamplingParameters) -> String {
        let stops = parameters.stopTokens.prefix(8).map { "\($0)" }.joined(separator: ",")
        return "samples \(parameters.samples), max_tokens \(parameters.maximumTokens), "
            + "temperature \(parameters.temperature), top_k \(parameters.topK), top_p \(parameters.topP), "
            + "min_p \(parameters.minP), stop \(stops)"
    }
}
