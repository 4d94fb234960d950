public import Identity

/// A place for one group of the run.
public struct Slot: Sendable, Hashable, Codable {
    /// Where a slot stands.
    public enum Phase: Sendable, Hashable, Codable {
        /// It was leased before and needs a new lease.
        case waiting
        /// A worker is at it.
        case leased(UInt64)
        /// A journaled group owns it.
        case owned(Hash256)
        /// Its group is in the batch of this step.
        case batched(UInt64)
    }

    /// Leases of one slot that are remembered, so that late submissions find theirs.
    static let rememberedLeases = 4
    /// Rejected or abandoned groups of one slot that are remembered, so that their verdicts can be looked at again.
    static let rememberedGroups = 2

    /// Where it stands.
    public internal(set) var phase: Phase
    /// How often it was leased.
    public internal(set) var attempts: UInt32
    /// Its newest leases, oldest first.
    public internal(set) var leases: [UInt64]
    /// Groups that owned it before and were rejected or abandoned, oldest first.
    public internal(set) var earlier: [Hash256] = []
}

/// What is remembered of a lease.
public struct LeaseRecord: Sendable, Hashable, Codable {
    /// Where a lease stands.
    public enum Phase: Sendable, Hashable, Codable {
        /// The worker is at it.
        case live
        /// It ended without an owned slot.
        case ended(LeaseEnd)
        /// This group was journaled for it.
        case submitted(Hash256)
    }

    /// The slot.
    public let slot: UInt64
    /// How often the slot was leased before.
    public let attempt: UInt32
    /// Whose lease it is.
    public let worker: PublicKey
    /// The number of the version to generate under.
    public let version: UInt64
    /// What the worker said it generates with when it got the lease; empty for the canonical arithmetic.
    public var engine = ""
    /// Where it stands.
    public internal(set) var phase: Phase
}

/// What is remembered of a journaled group.
public struct GroupRecord: Sendable, Hashable, Codable {
    /// Where a group stands.
    public enum Phase: Sendable, Hashable, Codable {
        /// It waits for a verifier.
        case queued
        /// A verifier is at it.
        case auditing(UInt64)
        /// It is not audited, and the lab computes its rewards.
        case scoring
        /// It is not audited and has its rewards; a later audit may vouch for it.
        case provisional
        /// It waits for a batch.
        case accepted
        /// It is in the batch of this step.
        case batched(UInt64)
        /// It was rejected or abandoned, and is kept in case that verdict is looked at again.
        case setAside
    }

    /// Verifiers that are remembered for having lost a group's audit.
    static let rememberedLosers = 8

    /// What was drawn about its audit.
    public struct Draw: Sendable, Hashable, Codable {
        /// The epoch whose secret decided.
        public let epoch: UInt64
        /// The probability in millionths.
        public let probability: UInt32
        /// Whether it is audited.
        public let isDrawn: Bool
    }

    /// A verifier's finding that another verifier is to confirm.
    public struct Dispute: Sendable, Hashable, Codable {
        /// Who found it.
        public let accuser: PublicKey
        /// The audit in which it was found.
        public let audit: UInt64
        /// What was found.
        public let finding: Finding
        /// What the audit cost.
        public let auditFLOPs: Int64
    }

    /// The slot that it owns.
    public let slot: UInt64
    /// The lease that it answers.
    public let lease: UInt64
    /// Whose group it is.
    public let worker: PublicKey
    /// The number of the version under which it was generated.
    public let version: UInt64
    /// Completion tokens in it.
    public let tokens: UInt64
    /// What it takes to generate it in FLOPs; 0 where that is not known.
    public let work: Int64
    /// SHA-256 over its tokens.
    public let content: Hash256?
    /// Whether its numbers are compared by tolerances: then it is audited for certain, and its audit says nothing about
    /// other groups.
    public let isAlwaysAudited: Bool
    /// Its place in the order of journaling.
    public let ordinal: UInt64
    /// Where it stands.
    public internal(set) var phase: Phase
    /// What was drawn about its audit; nil where it is audited for certain.
    public internal(set) var draw: Draw?
    /// Groups journaled when it was decided to audit it: if it passes, it vouches for those of its worker.
    public internal(set) var vouchesThrough: UInt64
    /// How often its audit was assigned.
    public internal(set) var auditAttempts: Int
    /// The verifiers that lost it, avoided where there is another; the last one most of all.
    public internal(set) var losers: [PublicKey] = []
    /// A finding to be confirmed.
    public internal(set) var dispute: Dispute?
    /// Verifiers whose replay agreed with it.
    public internal(set) var confirmations: [PublicKey] = []
    /// Verifiers that found it wrong when it was planted among their audits.
    public internal(set) var contradictedBy: [PublicKey] = []
    /// One more replay of it, if one is wanted.
    public internal(set) var check: Check?
    /// A finding against it although it was accepted, for a third verifier or the trainer to decide.
    public internal(set) var doubt: Dispute?
    /// What took it out of the run.
    public internal(set) var verdict: EarlierVerdict?
    /// Whether the trainer has doubted it, or could not compute it, which is looked into once.
    public internal(set) var wasDoubted = false
    /// Whether the trainer computed something else: under one arithmetic one voice against it, which is the lab's own; under
    /// tolerances one against the verifier whose numbers the trainer was given.
    public internal(set) var isDisbelieved = false
    /// Whether it was found wrong after it counted, which is punished once.
    public internal(set) var isRevoked = false
    /// Whether a check of it came to nothing, so that no other one is tried for its worker's sake.
    public internal(set) var isUnreachable = false

    /// Whether it waits, unaudited, for a later audit to vouch for it.
    var isWaiting: Bool { phase == .scoring || phase == .provisional }
    /// Whether it is accepted or in a batch.
    var isCounted: Bool {
        switch phase {
        case .accepted, .batched: true
        case .queued, .auditing, .scoring, .provisional, .setAside: false
        }
    }
    /// Whether something speaks against it that only a replay of its own can settle.
    var isSuspect: Bool {
        isRevoked || doubt != nil || wasDoubted && confirmations.count < (isDisbelieved ? 2 : 1)
    }
    /// The verifier that lost it last.
    var avoided: PublicKey? { losers.last }
}

/// An audit that a verifier holds.
public struct AuditRecord: Sendable, Hashable, Codable {
    /// The group.
    public let group: Hash256
    /// Who holds it.
    public let verifier: PublicKey
    /// Why a group with a verdict is replayed once more; nil where the verdict itself is wanted.
    public internal(set) var purpose: Check.Purpose?
}

/// What is remembered of a worker's key.
public struct WorkerRecord: Sendable, Hashable, Codable {
    /// Leases that it holds.
    public internal(set) var liveLeases: Set<UInt64> = []
    /// Its journaled groups without a verdict, in order.
    public internal(set) var pendingGroups: [Hash256] = []
    /// Its groups that are not audited and not in a batch, in order.
    public internal(set) var waitingGroups: [Hash256] = []
    /// Credit of groups that were not audited, oldest first.
    public internal(set) var unvested: [UnvestedCredit] = []
    /// How many of the pending ones a verifier is at, for the first time.
    public internal(set) var auditing = 0
    /// How many of the pending ones one verifier found wrong, and another has not confirmed yet.
    public internal(set) var disputed = 0
    /// Groups accepted.
    public internal(set) var accepted: UInt64 = 0
    /// Groups rejected.
    public internal(set) var rejected: UInt64 = 0
    /// Groups that came to a verdict in an audit.
    public internal(set) var audited: UInt64 = 0
    /// Groups discarded for age; credited all the same.
    public internal(set) var discarded: UInt64 = 0
    /// Soft rejections so far.
    public internal(set) var strikes = 0
    /// Verified FLOPs since the last rejection, under the canonical arithmetic.
    public internal(set) var streak: Int64 = 0
    /// Groups accepted by tolerances since the last rejection; they earn no trust.
    public internal(set) var tolerated: UInt64 = 0
    /// Credited FLOPs in all.
    public internal(set) var earned: Int64 = 0
    /// What is left of that beside the stake: the ledger's balance.
    public internal(set) var balance: Int64 = 0
    /// Stake held.
    public internal(set) var staked: Int64 = 0
    /// Why it was banned, if it was.
    public internal(set) var ban: Finding?

    /// Whether nothing of it was accepted since its last rejection.
    ///
    /// - Parameter isForeign: Asks about groups that are compared by tolerances; those and the others do not count for each
    ///   other.
    public func isOnProbation(isForeign: Bool) -> Bool { isForeign ? tolerated == 0 : streak == 0 }
    /// Whether there is nothing to remember: no lease, group, credit, stake, strike or ban.
    var isEmpty: Bool { self == WorkerRecord() }
    /// Leases and groups without a verdict.
    public var unauditedGroups: Int { liveLeases.count + pendingGroups.count }
    /// Credit of groups that were not audited, in FLOPs.
    public var unvestedCredit: Int64 { unvested.reduce(0) { saturatingSum($0, $1.amount) } }
}

/// What is remembered of a verifier's key.
public struct VerifierRecord: Sendable, Hashable, Codable {
    /// Audits that it holds.
    public internal(set) var liveAudits: Set<UInt64> = []
    /// Audits that came to a verdict.
    public internal(set) var audited: UInt64 = 0
    /// Audits that it lost.
    public internal(set) var lost: UInt64 = 0
    /// Accusations that another verifier's replay refuted.
    public internal(set) var refuted = 0
    /// Known good groups that it was given among its audits.
    public internal(set) var planted: UInt64 = 0
    /// Known good groups that it found wrong.
    public internal(set) var plantsFailed = 0
    /// Audit FLOPs in all.
    public internal(set) var earned: Int64 = 0
    /// Why it was banned, if it was.
    public internal(set) var ban: Finding?
}

/// Numbers over the whole run.
public struct RunCounters: Sendable, Hashable, Codable {
    /// The most names of checks that are counted apart; further ones count as "other".
    static let maximumChecks = 64

    /// Groups journaled.
    public internal(set) var received: UInt64 = 0
    /// Groups accepted, vested ones included.
    public internal(set) var accepted: UInt64 = 0
    /// Groups that count because a later audit of the same key passed.
    public internal(set) var vested: UInt64 = 0
    /// Groups that were not audited when they came.
    public internal(set) var spared: UInt64 = 0
    /// Groups in batches that were provisional then.
    public internal(set) var provisionalInBatches: UInt64 = 0
    /// Groups rejected, by check.
    public internal(set) var rejected: [String: UInt64] = [:]
    /// Groups discarded for age.
    public internal(set) var discarded: UInt64 = 0
    /// Groups set aside, nobody to blame.
    public internal(set) var withdrawn: UInt64 = 0
    /// Audits without a verdict.
    public internal(set) var auditsLost: UInt64 = 0
    /// The largest n − 1 − step(v) of a group in any batch n.
    public internal(set) var maximumStaleness: UInt64 = 0
    /// Completion tokens in batches.
    public internal(set) var batchedTokens: UInt64 = 0
    /// Groups under the canonical arithmetic that were replayed and accepted.
    public internal(set) var verifiedGroups: Int64 = 0
    /// What they took to generate in FLOPs.
    public internal(set) var verifiedWork: Int64 = 0
    /// Their completion tokens.
    public internal(set) var verifiedTokens: UInt64 = 0

    /// What a group of the run takes on average in FLOPs: every slot's work is somebody's, so no key can choose it.
    public var meanWork: Int64 { verifiedGroups > 0 ? verifiedWork / verifiedGroups : 0 }
    /// Completion tokens of a group on average.
    public var meanTokens: UInt64 { verifiedGroups > 0 ? verifiedTokens / UInt64(verifiedGroups) : 0 }
}
