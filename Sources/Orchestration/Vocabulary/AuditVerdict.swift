/// What the driver's comparison of a replay with a submission came to.
public enum AuditVerdict: Sendable, Hashable {
    /// Everything agreed; the lab's scorers gave these rewards, one per sample.
    case accepted(Acceptance)
    /// The submission and the replay differ, or the lab's recomputation differs from what was claimed.
    case rejected(Finding, auditFLOPs: Int64)
    /// The replay itself is unusable (a fault of the verifier or of the network): nobody is blamed.
    case inconclusive(reason: String)

    /// What an accepted group is worth.
    public struct Acceptance: Sendable, Hashable {
        /// One reward per sample, computed by the lab.
        public let rewards: [Float]
        /// The worker's verified work in FLOPs, computed from token counts, never claimed.
        public let verifiedFLOPs: Int64
        /// The verifier's work in FLOPs.
        public let auditFLOPs: Int64

        /// Keeps what an accepted group is worth; negative work counts as none.
        public init(rewards: [Float], verifiedFLOPs: Int64, auditFLOPs: Int64) {
            self.rewards = rewards
            self.verifiedFLOPs = max(0, verifiedFLOPs)
            self.auditFLOPs = max(0, auditFLOPs)
        }
    }
}
