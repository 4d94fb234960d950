public import Verification

/// A lease, what an honest worker submits for it, and what an honest verifier replays.
public struct HonestGroup: Sendable {
    /// The lease.
    public let terms: LeaseTerms
    /// The honest submission.
    public let evidence: GroupEvidence
    /// Its replay.
    public let replay: ReplayResult

    /// Puts the three together.
    public init(terms: LeaseTerms, evidence: GroupEvidence, replay: ReplayResult) {
        self.terms = terms
        self.evidence = evidence
        self.replay = replay
    }

    /// The tokens of each sample.
    var completions: [[Int32]] { evidence.samples.map(\.tokens) }
}
