/// `length`, `tokens-after-stop`, `unfinished` and `finish-reason`: a sample ends at its first stop token or at the
/// maximum, and nowhere else; `stop` beats `length`.
struct TerminationCheck: SubmissionCheck {
    let name = "termination"

    func examine(_ evidence: GroupEvidence, _ terms: LeaseTerms, _ rules: AuditRules) throws(Rejection) {
        // The lab's own list, never the payload's; a set, because a stranger chooses how often it is asked.
        let parameters = terms.parameters
        let stopTokens = Set(parameters.stopTokens)
        for (index, sample) in evidence.samples.enumerated() {
            let count = sample.tokens.count
            guard count >= 1, count <= parameters.maximumTokens else {
                throw Rejection(
                    check: "length", reason: "A sample is empty or longer than allowed.", place: .init(sample: index),
                    expected: "1 to \(parameters.maximumTokens) tokens", found: "\(count) tokens")
            }
            let firstStop = sample.tokens.firstIndex(where: stopTokens.contains)
            if let firstStop, firstStop != count - 1 {
                throw Rejection(
                    check: "tokens-after-stop", reason: "A sample goes on after its stop token.",
                    place: .init(sample: index, position: firstStop + 1), expected: "the end", found: "another token")
            }
            guard firstStop != nil || count == parameters.maximumTokens else {
                throw Rejection(
                    check: "unfinished", reason: "A sample ends without a stop token before the maximum.",
                    place: .init(sample: index), expected: "a stop token or \(parameters.maximumTokens) tokens",
                    found: "\(count) tokens")
            }
            let honest = firstStop != nil ? "stop" : "length"
            guard sample.finishReason?.rawValue == honest else {
                throw Rejection(
                    check: "finish-reason", reason: "The reason given for a sample's end is not the true one.",
                    place: .init(sample: index), expected: honest, found: sample.finishReason?.rawValue ?? "unknown")
            }
        }
    }
}
