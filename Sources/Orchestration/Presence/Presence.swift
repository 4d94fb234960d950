import Identity

/// What a crash loses by design: connections, clocks, standing requests, measured speeds.
struct Presence: Sendable {
    /// Members that are connected, or were until a moment ago.
    var members: [PublicKey: MemberPresence] = [:]
    /// Who said hello on which connection.
    var keys: [ConnectionID: PublicKey] = [:]
    /// The trainer, if one is connected.
    var trainer: PublicKey?
    /// The next member's place in the order of joining.
    var nextOrder: UInt64 = 0

    /// Workers whose request for leases stands, first come first.
    var waitingWorkers: [PublicKey] = []
    /// Verifiers whose request for audits stands, first come first.
    var waitingVerifiers: [PublicKey] = []
    /// The batch that the trainer waits for.
    var batchRequest: (from: Correspondent, step: UInt64)?

    /// The clocks of live leases.
    var leaseClocks: [UInt64: LeaseClock] = [:]
    /// When audits are taken away from their verifier; `never` where it has returned its replay.
    var auditDeadlines: [UInt64: Instant] = [:]
    /// How long disputed groups, and those that are checked, wait for a verifier that may have them.
    var disputes: [Hash256: Patience] = [:]
    /// Until when groups that a verifier has lost are kept for verifiers that have not.
    var searches: [Hash256: Instant] = [:]
    /// What passed audits vouch for as soon as everything is decided that their worker handed in before.
    var owedVouches: [PublicKey: [OwedVouch]] = [:]
    /// Until when keys get no lease because an audit rejected their group, or because they only take and give back.
    var delays: [PublicKey: Instant] = [:]
    /// Workers that gave leases back and have handed in nothing since.
    var returns: [PublicKey: Returns] = [:]
    /// Workers one of whose groups is to be audited, because nothing else would vouch for the promised credit.
    var accounts: Set<PublicKey> = []
    /// In which epoch workers with promised credit left.
    var departures: [PublicKey: UInt64] = [:]
    /// Whether all workers with promised credit were put there, since no batch is to come.
    var closesAllAccounts = false
    /// Whether some groups may have become needless that are kept beyond their STABLE checkpoint.
    var reviewsKeptGroups = false
    /// The moment of the event that is being taken in.
    var now = Instant(milliseconds: 0)
    /// No deadline lies before this moment.
    var earliestDeadline: Instant?
    /// Since when there has been room for leases that some wait for.
    var roomSince: Instant?
    /// When the room that is kept for busy workers may go to others; nil where none is kept.
    var sharesEnd: Instant?

    /// Whether the clocks of work from before the start are running.
    var isArmed = false
    /// The operator's wish to stop.
    var drain: Drain?
    /// When the run was found finished.
    var finishedSince: Instant?
    /// Whether verifiers are still wanted although the run is finished, for what is not decided yet.
    var awaitsVerdicts = false
    /// When an audit was given to a verifier or came to a verdict last.
    var lastAudit = Instant(milliseconds: 0)
    /// Whether `stop` was said.
    var isStopped = false
    /// Workers to be told how they stand, and what was wrong with their groups.
    var standings: [(worker: PublicKey, reasons: [String])] = []

    /// Leases that were taken for nothing.
    struct Returns: Sendable {
        /// How often in a row.
        var rounds = 0
        /// When it was the last time.
        var last: Instant
    }

    /// A search for a verifier.
    struct Patience: Sendable {
        /// Since when none is there that may have the group.
        var since: Instant
        /// When the search ends, whoever is there: one that is connected may never take it.
        let end: Instant
    }

    /// What a passed audit says about other groups of its worker.
    struct OwedVouch: Sendable {
        /// The audit that passed.
        let audit: UInt64
        /// Groups journaled when it was decided on: it vouches for those.
        let through: UInt64
        /// For how much work, in FLOPs.
        let reach: Int64
    }

    /// The operator's wish to stop.
    struct Drain: Sendable {
        let reason: String
        let deadline: Instant
        /// Whether verifiers have been told.
        var isVerificationOver = false
    }

    /// The clock of one live lease.
    struct LeaseClock: Sendable {
        /// How long progress renews it for.
        let duration: UInt64
        /// When it ends unless renewed.
        var deadline: Instant
        /// When it ends however often it is renewed.
        let limit: Instant
    }
}

/// One member as seen now.
struct MemberPresence: Sendable {
    let key: PublicKey
    let role: Role
    let name: String
    /// The place in the order of joining, which decides wherever some order must.
    let order: UInt64
    /// The number that its process drew, 0 where that is not known.
    var instance: UInt64 = 0
    /// What a worker generates with, as it says; empty for the canonical arithmetic.
    var engine = ""
    /// The connection, nil while it is gone.
    var connection: ConnectionID?
    /// When it was heard of last; while it is gone, when it went.
    var lastSeen: Instant
    /// The standing long poll.
    var request: (from: Correspondent, count: Int)?
    /// The newest message id of a long poll on this connection.
    var newestRequest: UInt64 = 0
    /// How many rounds of its leases expired since it handed in anything.
    var stalls = 0
    /// Until when it gets no lease for that.
    var stalledUntil: Instant?
    /// How fast a worker hands in groups.
    var pace = MeasuredPace()
}

/// Groups per millisecond while busy, the old fading out.
struct MeasuredPace: Sendable {
    private var groups = 0.0
    private var busyMilliseconds = 0.0
    private var busySince: Instant?

    /// Groups per millisecond, nil before the first group.
    var groupsPerMillisecond: Double? {
        groups > 0 ? groups / max(1, busyMilliseconds) : nil
    }

    /// The worker holds leases from now on.
    mutating func becameBusy(at now: Instant) {
        if busySince == nil { busySince = now }
    }

    /// The worker handed in a group; `isIdle` if it was the last one that it had.
    mutating func finishedGroup(at now: Instant, isIdle: Bool) {
        guard let since = busySince else { return }
        groups += 1
        busyMilliseconds += Double(now.elapsed(since: since))
        busySince = isIdle ? nil : now
        if groups >= 128 {
            groups /= 2
            busyMilliseconds /= 2
        }
    }

    /// The worker has nothing to do any more, for another reason.
    mutating func becameIdle() {
        busySince = nil
    }
}
