import Proofs

/// `proof-structure`: a commitment of 32 bytes and a strictly parsed TOPLOC proof for every chunk, none missing; only a
/// foreign engine goes without commitments, then without all of them.
struct ProofStructureCheck: SubmissionCheck {
    let name = "proof-structure"

    func examine(_ evidence: GroupEvidence, _ terms: LeaseTerms, _ rules: AuditRules) throws(Rejection) {
        for (index, sample) in evidence.samples.enumerated() {
            let chunks = rules.chunking.count(forRows: sample.tokens.count)
            // Who computes other rows than a replay has nothing to commit to.
            let needsCommitments = rules.policy == .exact || !sample.commitments.isEmpty
            guard sample.commitments.count == chunks || !needsCommitments else {
                throw Rejection(
                    check: "proof-structure", reason: "Not every chunk of 32 tokens has a commitment.",
                    place: .init(sample: index), expected: chunks, found: sample.commitments.count)
            }
            guard sample.proofs.count == chunks else {
                throw Rejection(
                    check: "proof-structure", reason: "Not every chunk of 32 tokens has a TOPLOC proof.",
                    place: .init(sample: index), expected: chunks, found: sample.proofs.count)
            }
            for chunk in 0..<chunks {
                let place = Rejection.Place(sample: index, chunk: chunk)
                guard !needsCommitments || sample.commitments[chunk].count == 32 else {
                    throw Rejection(
                        check: "proof-structure", reason: "A commitment is not a SHA-256 hash.", place: place,
                        expected: "32 bytes", found: "\(sample.commitments[chunk].count) bytes")
                }
                let points = rules.chunking.points(
                    inChunk: chunk, rows: sample.tokens.count, hidden: rules.hiddenSize)
                do throws(ToplocError) {
                    _ = try ToplocProof(parsing: sample.proofs[chunk], points: points)
                } catch {
                    throw Rejection(
                        check: "proof-structure", reason: error.description, place: place,
                        expected: "a proof of \(points) points", found: "\(sample.proofs[chunk].count) bytes")
                }
            }
        }
    }
}
