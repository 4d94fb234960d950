import Identity

/// `commitment`: the replayed rows must hash to what the worker committed to, chunk by chunk, to the bit.
///
/// A mismatch alone is a soft strike, since bad memory looks the same. It fires for other weights, another prompt,
/// another token anywhere before, swapped samples, and commitments copied from another key.
struct CommitmentCheck: ReplayCheck {
    let name = "commitment"

    func compare(
        _ evidence: GroupEvidence, with replay: ReplayResult, _ rules: AuditRules,
        into statistics: inout AuditStatistics
    ) throws(Rejection) {
        guard case .exact = rules.policy else { return }
        for (index, sample) in evidence.samples.enumerated() {
            for (chunk, expected) in replay.samples[index].commitments.enumerated() {
                let found = sample.commitments[chunk]
                guard expected.bytes == found else {
                    throw Rejection(
                        check: name, reason: "The replayed hidden states are not those committed to.",
                        place: .init(sample: index, chunk: chunk), expected: expected.hex,
                        found: Hash256(found)?.hex ?? "no hash")
                }
            }
        }
    }
}
