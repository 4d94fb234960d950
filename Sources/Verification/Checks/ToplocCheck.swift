import Proofs

/// `toploc`: each chunk's proof, evaluated at the replay's largest activations, within the policy's thresholds.
struct ToplocCheck: ReplayCheck {
    let name = "toploc"

    func compare(
        _ evidence: GroupEvidence, with replay: ReplayResult, _ rules: AuditRules,
        into statistics: inout AuditStatistics
    ) throws(Rejection) {
        let policy: ToplocPolicy
        switch rules.policy {
        case .exact: policy = .exact
        case .toploc(let foreign): policy = foreign.toploc
        }
        for (index, sample) in evidence.samples.enumerated() {
            for (chunk, top) in replay.samples[index].topRows.enumerated() {
                let place = Rejection.Place(sample: index, chunk: chunk)
                let proof: ToplocProof
                do throws(ToplocError) {
                    proof = try ToplocProof(parsing: sample.proofs[chunk], points: top.indices.count)
                } catch {
                    throw Rejection(
                        check: "proof-structure", reason: error.description, place: place,
                        expected: "a proof of \(top.indices.count) points",
                        found: "\(sample.proofs[chunk].count) bytes")
                }
                let result = ToplocStatistics(proof: proof, against: top)
                guard policy.accepts(result) else {
                    throw Rejection(
                        check: name, reason: "The proof does not fit the replayed activations.", place: place,
                        expected: "at most \(policy.exponentMismatches) exponent and \(policy.signMismatches) sign "
                            + "mismatches, mantissa error \(policy.mantissaErrorMean) and \(policy.mantissaErrorMedian)",
                        found: "\(result.exponentMismatches) exponent and \(result.signMismatches) sign mismatches, "
                            + "mantissa error \(result.mantissaErrorMean) and \(result.mantissaErrorMedian)"
                            + (result.isDegenerate ? ", a degenerate polynomial" : ""))
                }
                statistics.chunks += 1
                statistics.exponentMismatches = max(statistics.exponentMismatches, result.exponentMismatches)
                statistics.mantissaErrorMean = max(statistics.mantissaErrorMean, result.mantissaErrorMean)
                statistics.mantissaErrorMedian = max(statistics.mantissaErrorMedian, result.mantissaErrorMedian)
                statistics.signMismatches = max(statistics.signMismatches, result.signMismatches)
            }
        }
    }
}
