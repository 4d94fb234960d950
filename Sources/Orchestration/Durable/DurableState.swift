public import Identity

/// Everything about a run that survives a crash: what the journal's facts amount to.
///
/// Only `apply` changes it. It holds no clock, no connection and no configuration. Its size follows the work in
/// flight and the batches that no STABLE checkpoint covers yet, not the length of the run.
public struct DurableState: Sendable, Hashable, Codable {
    /// Versions kept although nothing refers to them, so that a repeated publication is recognised.
    static let rememberedVersions = 16
    /// Versions whose weights are kept because a rejection of late can only be re-checked with them.
    static let evidenceVersions = 4

    /// How many facts were applied.
    public internal(set) var factCount: UInt64 = 0

    /// Versions that something may still refer to, by number.
    public internal(set) var versions: [UInt64: PolicyVersion] = [:]
    /// The newest version.
    public internal(set) var newest: PolicyVersion?

    /// The first slot that was never leased.
    public internal(set) var nextSlot: UInt64 = 0
    /// The first lease id that was never used.
    public internal(set) var nextLease: UInt64 = 1
    /// The first audit id that was never used.
    public internal(set) var nextAudit: UInt64 = 1

    /// Slots that no STABLE checkpoint covers yet.
    public internal(set) var slots: [UInt64: Slot] = [:]
    /// Slots that need a new lease, lowest first.
    public internal(set) var waitingSlots: [UInt64] = []
    /// The newest leases of those slots.
    public internal(set) var leases: [UInt64: LeaseRecord] = [:]
    /// Live leases.
    public internal(set) var liveLeases: Set<UInt64> = []
    /// The journaled groups of those slots, by the hash of their payload.
    public internal(set) var groups: [Hash256: GroupRecord] = [:]
    /// Groups that wait for a verifier, in order.
    public internal(set) var auditQueue: [Hash256] = []
    /// Audits that verifiers hold.
    public internal(set) var audits: [UInt64: AuditRecord] = [:]
    /// Groups that are not audited and wait for their rewards.
    public internal(set) var scoringGroups: Set<Hash256> = []
    /// Groups that are not audited and wait for a batch or for an audit that vouches for them, in order.
    public internal(set) var provisionalGroups: [Hash256] = []
    /// Accepted groups that wait for a batch, in order of acceptance.
    public internal(set) var acceptedGroups: [Hash256] = []
    /// Groups with a verdict that wait for one more replay, in order.
    public internal(set) var checkQueue: [Hash256] = []
    /// Groups that one verifier found good and another one wrong, which the trainer is to decide.
    public internal(set) var contestedGroups: Set<Hash256> = []
    /// Audits that verifiers hold for checks.
    public internal(set) var openChecks = 0
    /// The present epoch of draws, if there are any.
    public internal(set) var epoch: EpochRecord?
    /// The secret of the epoch before.
    var revealedSecret: Hash256?
    /// Batches that no STABLE checkpoint covers yet, by step.
    public internal(set) var batches: [UInt64: [Hash256]] = [:]
    /// Groups that are remembered although a STABLE checkpoint covers them, in order.
    public internal(set) var keptGroups: [Hash256] = []
    /// The versions of the newest rejections by audit, oldest first.
    public internal(set) var rejectedVersions: [UInt64] = []
    /// Workers that have promised credit.
    public internal(set) var unvestedWorkers: Set<PublicKey> = []

    /// The newest batch that was put together.
    public internal(set) var cutStep: UInt64 = 0
    /// The newest step that the trainer made.
    public internal(set) var doneStep: UInt64 = 0
    /// The newest step that a STABLE checkpoint covers.
    public internal(set) var stableStep: UInt64 = 0

    /// Workers by key.
    public internal(set) var workers: [PublicKey: WorkerRecord] = [:]
    /// Verifiers by key.
    public internal(set) var verifiers: [PublicKey: VerifierRecord] = [:]
    /// Used invitations and who used them.
    public internal(set) var invitations: [Hash256: PublicKey] = [:]
    /// Numbers over the whole run.
    public internal(set) var counters = RunCounters()

    /// A run that has not begun.
    public init() {}

    /// Slots that a worker, the audit or the next batches have, not counting those already batched.
    var slotsInProduction: Int {
        liveLeases.count + pendingAuditCount + scoringGroups.count + provisionalGroups.count + acceptedGroups.count
    }

    /// Journaled groups that wait for a verdict.
    var pendingAuditCount: Int { auditQueue.count + audits.count - openChecks }
}

/// A fact that does not fit the state: the journal is damaged or of another run.
public struct FactMismatch: Error, Sendable, Hashable, CustomStringConvertible {
    /// The number of the fact in the journal, from 0.
    public let index: UInt64
    /// What does not fit.
    public let reason: String

    /// Says which fact does not fit, why, and what to do.
    public var description: String {
        "The journal's fact \(index) does not fit those before it (\(reason)). "
            + "Restore the run's database from a backup; nothing was changed."
    }
}
