public import Identity

/// Something that happened, as the driver tells it.
///
/// Messages carry the connection on which they came; the machine knows which key said hello there. Every event may
/// come twice, late or in another order.
public enum Event: Sendable {
    /// Time passed.
    case tick
    /// A member introduced itself; the driver has authenticated it.
    case hello(Hello, from: Correspondent)
    /// A connection is gone.
    case disconnected(ConnectionID)
    /// A sign of life.
    case heartbeat(from: ConnectionID)
    /// These have said something that is about to be taken in: signs of life, whatever it is.
    case heard([ConnectionID])
    /// A member leaves of its own accord.
    case goodbye(from: ConnectionID)

    /// A worker is ready for so many more groups; the answer waits until there is work.
    case leasesRequested(from: Correspondent, groups: Int)
    /// A worker is still busy with these leases.
    case leaseProgress(from: ConnectionID, leases: [UInt64])
    /// A worker gives leases back; counts neither for nor against.
    case leasesReturned(from: Correspondent, leases: [UInt64])
    /// A worker handed in a group.
    case groupSubmitted(Submission, from: Correspondent)

    /// A verifier is ready for so many more groups; the answer waits until there is work.
    case auditsRequested(from: Correspondent, groups: Int)
    /// A verifier's replay was compared.
    case auditReported(from: Correspondent, audit: UInt64, verdict: AuditVerdict)
    /// A verifier's replay agrees, and the driver is scoring the group: the verifier has done its part, so neither the
    /// audit's deadline nor the verifier's leaving takes the audit away.
    case auditReturned(from: Correspondent, audit: UInt64)
    /// What a returned audit came to; the verifier is answered where it spoke last, if it is still there.
    case auditJudged(audit: UInt64, verdict: AuditVerdict, answering: Correspondent)
    /// A verifier could not replay.
    case auditsFaulted(from: Correspondent, audits: [UInt64], reason: String)
    /// The lab's scorers are done with a group that is not audited: one reward per sample, or nil where they failed.
    case groupScored(group: Hash256, rewards: [Float]?)

    /// The trainer wants the batch of this step; the answer waits until there is one.
    case batchRequested(from: Correspondent, step: UInt64)
    /// The trainer made the step.
    case batchDone(from: Correspondent, step: UInt64)
    /// The trainer computed other log-probabilities for these groups of a batch than their worker reported.
    case groupsDoubted(from: Correspondent, groups: [Hash256])
    /// The trainer could not compute the log-probabilities of these groups of a batch at all, and why.
    case groupsUnavailable(from: Correspondent, groups: [(group: Hash256, reason: String)])
    /// A verifier found a group good by other numbers than others who did; it says which gave the same ones and which not.
    case replaysCompared(group: Hash256, by: PublicKey, equal: [PublicKey], unequal: [PublicKey])
    /// The driver found over many groups what no single one shows: this worker is not to have any more.
    case workerRefused(PublicKey, Finding)
    /// The trainer published a version.
    case versionPublished(from: Correspondent, version: PolicyVersion)
    /// A STABLE checkpoint covers everything up to this step.
    case checkpointStable(from: Correspondent, step: UInt64)

    /// The operator wants to stop: no new leases, finish what is in flight, for at most so long.
    case drain(reason: String, milliseconds: UInt64)
    /// The operator wants to go on after all.
    case resume
}

/// A group as handed in, after the driver ran the checks that need no replay.
public struct Submission: Sendable, Hashable {
    /// The lease that it answers.
    public let lease: UInt64
    /// SHA-256 of the payload bytes.
    public let group: Hash256
    /// Completion tokens in it.
    public let tokens: UInt64
    /// What it takes to generate it in FLOPs, by token counts; 0 where that is not known, and then it is audited.
    public let work: Int64
    /// SHA-256 over its tokens: two groups of one slot with the same are the same result.
    public let content: Hash256?
    /// What its payload says that generated it; empty for the canonical arithmetic.
    public let engine: String
    /// Whether it is audited however trusted its worker is, since its numbers are compared by tolerances.
    public let isAlwaysAudited: Bool
    /// The first cheap check that failed, if any; `refuse` where the signature does not hold.
    public let failure: Finding?

    /// Describes a group that was handed in.
    public init(
        lease: UInt64, group: Hash256, tokens: UInt64, work: Int64 = 0, content: Hash256? = nil,
        engine: String = "", isAlwaysAudited: Bool = false, failure: Finding? = nil
    ) {
        self.lease = lease
        self.group = group
        self.tokens = tokens
        self.work = max(0, work)
        self.content = content
        self.engine = bounded(engine, Hello.maximumEngineBytes)
        self.isAlwaysAudited = isAlwaysAudited
        self.failure = failure
    }
}
