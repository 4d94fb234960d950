import Identity

/// One run as a pure state machine: leases, staleness, audits, batches, membership.
///
/// The driver feeds events and carries out actions; see `Action` for the order that durability asks for. The machine
/// reads no clock and no file, draws no random number, and gives the same actions for the same events.
///
/// What must survive a crash is in `state` and changes only by a `Fact` that is journaled in the same breath; the
/// rest (connections, clocks, standing requests) is lost in a crash by design, and members bring it back by
/// reconnecting.
public struct Run: Sendable {
    /// What the run decides by.
    public let configuration: Configuration
    /// What the journal amounts to.
    public private(set) var state: DurableState
    var presence = Presence()
    var outbox: [Action] = []

    /// Continues from a journal; an empty one begins the run.
    ///
    /// - Parameters:
    ///   - snapshot: A state that was kept, so that not every fact since the beginning must be read.
    ///   - facts: The facts after the snapshot (from number `snapshot.factCount` on), in order.
    /// - Throws: `FactMismatch` if a fact does not fit those before it.
    public init(
        configuration: Configuration, resuming snapshot: DurableState = DurableState(),
        replaying facts: some Sequence<Fact> = []
    ) throws(FactMismatch) {
        self.configuration = configuration
        self.state = snapshot
        for fact in facts { try state.apply(fact) }
    }

    /// Takes in one event and returns what is to be done, in order.
    public mutating func step(_ event: Event, at now: Instant) -> [Action] {
        outbox = []
        presence.now = now
        armClocks(now)
        openEpoch()
        take(event, now)
        if let deadline = presence.earliestDeadline, deadline <= now { sweepDeadlines(now) }
        settleDisputes(now)
        spendVouches()
        cutBatches()
        pickForVesting()
        closeAccounts()
        forgetKeptGroups()
        assignAudits(now)
        grantLeases(now)
        reportStandings()
        concludeRun(now)
        // Checks end with the slots of their groups.
        if presence.auditDeadlines.count != state.audits.count {
            presence.auditDeadlines = presence.auditDeadlines.filter { state.audits[$0.key] != nil }
        }
        let actions = outbox
        outbox = []
        return actions
    }

    /// When the machine wants an event at the latest, if nothing else happens before.
    public var nextWake: Instant? {
        guard !presence.isStopped else { return nil }
        let finish = presence.finishedSince?.advanced(by: configuration.timing.finish)
        return [presence.earliestDeadline, presence.sharesEnd, presence.drain?.deadline, finish]
            .compactMap(\.self).min()
    }

    private mutating func take(_ event: Event, _ now: Instant) {
        switch event {
        case .tick: break
        case .hello(let hello, let from): greet(hello, from, now)
        case .disconnected(let connection): disconnect(connection, now)
        case .heartbeat(let connection): noteHeartbeat(connection, now)
        case .heard(let connections): for connection in connections { _ = member(on: connection, now) }
        case .goodbye(let connection): dismiss(connection, now)
        case .leasesRequested(let from, let groups): requestLeases(from, groups, now)
        case .leaseProgress(let connection, let leases): renewLeases(connection, leases, now)
        case .leasesReturned(let from, let leases): returnLeases(from, leases, now)
        case .groupSubmitted(let submission, let from): takeGroup(submission, from, now)
        case .auditsRequested(let from, let groups): requestAudits(from, groups, now)
        case .auditReported(let from, let audit, let verdict): takeVerdict(from, audit, verdict, now)
        case .auditReturned(let from, let audit): holdAudit(from, audit, now)
        case .auditJudged(let audit, let verdict, let from): takeJudgement(audit, verdict, answering: from, now)
        case .auditsFaulted(let from, let audits, let reason): takeFaults(from, audits, reason, now)
        case .groupScored(let group, let rewards): takeScore(group, rewards)
        case .batchRequested(let from, let step): requestBatch(from, step, now)
        case .batchDone(let from, let step): finishBatch(from, step, now)
        case .groupsDoubted(let from, let groups): takeDoubts(from, groups, now)
        case .groupsUnavailable(let from, let groups): takeUnavailable(from, groups, now)
        case .replaysCompared(let group, let verifier, let equal, let unequal):
            compareReplays(of: group, by: verifier, equal: equal, unequal: unequal)
        case .workerRefused(let key, let finding): refuseWorker(key, finding)
        case .versionPublished(let from, let version): publish(from, version, now)
        case .checkpointStable(let from, let step): makeStable(from, step, now)
        case .drain(let reason, let milliseconds): beginDrain(reason, milliseconds, now)
        case .resume: presence.drain = nil
        }
    }

    /// Makes one durable change and tells the driver to journal it.
    mutating func commit(_ fact: Fact) {
        do {
            try state.apply(fact)
        } catch {
            preconditionFailure("A decision of the machine does not fit its own state: \(error.reason).")
        }
        outbox.append(.journal(fact))
        switch fact {
        case .checkPassed, .checkFailed, .checkClosed, .groupVested, .creditForfeited, .acceptanceRevoked:
            presence.reviewsKeptGroups = true
        default: break
        }
        switch fact {
        case .auditAssigned, .checkAssigned, .groupAccepted, .groupRejected, .checkPassed, .checkFailed:
            presence.lastAudit = presence.now
        default: break
        }
    }

    mutating func report(_ notice: RunNotice) { outbox.append(.report(notice)) }

    mutating func refuse(_ to: Correspondent, _ refusal: Refusal) {
        outbox.append(.refuse(to: to, refusal))
    }

    /// Lowers the bound below which no deadline lies.
    mutating func expect(_ deadline: Instant) {
        presence.earliestDeadline = min(deadline, presence.earliestDeadline ?? deadline)
    }
}
