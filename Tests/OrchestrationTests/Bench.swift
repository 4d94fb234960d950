import Identity

@testable import Orchestration

/// A run under test with a clock that is set by hand and shorthands for what members say.
struct Bench {
    var run: Run
    var now: UInt64 = 1_000
    private(set) var facts: [Fact] = []
    private var nextConnection: UInt64 = 1
    private var nextMessage: UInt64 = 1
    private var connections: [PublicKey: ConnectionID] = [:]

    static let workers = Array(Scenario.keys[0..<8])
    static let verifiers = Array(Scenario.keys[8..<15])
    static let trainer = Scenario.trainerKey

    init(
        steps: UInt64 = 10, groupsPerBatch: Int = 4, pace: UInt64 = 1, staleness: UInt64 = 2,
        _ adjust: (inout Run.Configuration) -> Void = { _ in }
    ) throws {
        var configuration = Run.Configuration(
            runID: .zero, secret: [7], steps: steps, groupsPerBatch: groupsPerBatch, pace: pace,
            maximumStaleness: staleness, trainers: [Self.trainer])
        configuration.limits.probationGroups = 1_000
        adjust(&configuration)
        run = try Run(configuration: configuration)
    }

    @discardableResult
    mutating func send(_ event: Event) -> [Action] {
        let actions = run.step(event, at: Instant(milliseconds: now))
        for case .journal(let fact) in actions { facts.append(fact) }
        return actions
    }

    @discardableResult
    mutating func wait(_ milliseconds: UInt64) -> [Action] {
        now += milliseconds
        return send(.tick)
    }

    /// The process dies and comes back with its journal.
    mutating func restart() throws {
        run = try Run(configuration: run.configuration, replaying: facts)
        connections = [:]
        now += 1_000_000
    }

    func connection(_ key: PublicKey) -> ConnectionID { connections[key] ?? ConnectionID(0) }

    mutating func from(_ key: PublicKey) -> Correspondent {
        nextMessage += 1
        return Correspondent(connection(key), message: nextMessage)
    }

    @discardableResult
    mutating func join(
        _ key: PublicKey, _ role: Role, invitation: Hash256? = nil, resumeStep: UInt64 = 0, instance: UInt64 = 0,
        engine: String = ""
    ) -> [Action] {
        connections[key] = ConnectionID(nextConnection)
        nextConnection += 1
        let hello = Hello(
            key: key, role: role, invitation: invitation, resumeStep: resumeStep, instance: instance, engine: engine)
        return send(.hello(hello, from: from(key)))
    }

    /// The trainer joins and publishes a version of step 0.
    mutating func begin() {
        join(Self.trainer, .trainer)
        publish(1, step: 0)
    }

    @discardableResult
    mutating func publish(_ number: UInt64, step: UInt64, salt: UInt8 = 0) -> [Action] {
        let hash = SHA256.hash([UInt8(truncatingIfNeeded: number), salt])
        let version = PolicyVersion(number: number, weightsHash: hash, step: step)
        return send(.versionPublished(from: from(Self.trainer), version: version))
    }

    mutating func ask(_ worker: PublicKey, _ groups: Int) -> [Lease] {
        let actions = send(.leasesRequested(from: from(worker), groups: groups))
        return leases(in: actions, to: worker)
    }

    func leases(in actions: [Action], to key: PublicKey) -> [Lease] {
        actions.flatMap { action -> [Lease] in
            if case .sendLeases(let to, let leases) = action, to.connection == connection(key) { return leases }
            return []
        }
    }

    static func group(_ lease: UInt64, _ salt: UInt8 = 0) -> Hash256 {
        SHA256.hash([salt, UInt8(truncatingIfNeeded: lease), UInt8(truncatingIfNeeded: lease >> 8)])
    }

    @discardableResult
    mutating func submit(_ worker: PublicKey, _ lease: UInt64, salt: UInt8 = 0, failure: Finding? = nil) -> [Action] {
        send(
            .groupSubmitted(
                Submission(lease: lease, group: Self.group(lease, salt), tokens: 5, failure: failure),
                from: from(worker)))
    }

    @discardableResult
    mutating func report(_ verifier: PublicKey, _ audit: UInt64, _ verdict: AuditVerdict) -> [Action] {
        send(.auditReported(from: from(verifier), audit: audit, verdict: verdict))
    }

    static let accepted = AuditVerdict.accepted(.init(rewards: [1, 0], verifiedFLOPs: 1_000, auditFLOPs: 100))
    static func rejected(_ severity: Severity = .soft) -> AuditVerdict {
        .rejected(Finding(check: "commitments", reason: "Chunk 0 differs.", severity: severity), auditFLOPs: 100)
    }

    /// Has a worker make groups, and the first verifier accept them all.
    mutating func produce(_ count: Int, _ worker: PublicKey = Bench.workers[0]) {
        if run.connection(of: worker) == nil { join(worker, .worker) }
        if run.connection(of: Self.verifiers[0]) == nil { join(Self.verifiers[0], .verifier) }
        for lease in ask(worker, count) { submit(worker, lease.id) }
        audit()
    }

    /// Has the first verifier accept whatever waits.
    mutating func audit(_ verdict: AuditVerdict = Bench.accepted) {
        send(.auditsRequested(from: from(Self.verifiers[0]), groups: 100))
        while let audit = run.state.audits.keys.min() {
            report(Self.verifiers[0], audit, verdict)
            send(.auditsRequested(from: from(Self.verifiers[0]), groups: 100))
        }
    }

    @discardableResult
    mutating func requestBatch(_ step: UInt64) -> [Action] {
        send(.batchRequested(from: from(Self.trainer), step: step))
    }

    /// Produces a batch, has the trainer make its step and publish it.
    mutating func makeStep(_ step: UInt64) {
        produce(run.configuration.groupsPerBatch)
        requestBatch(step)
        publish((run.state.newest?.number ?? 0) + 1, step: step)
        send(.batchDone(from: from(Self.trainer), step: step))
    }
}

extension [Action] {
    var refusals: [String] {
        compactMap { if case .refuse(_, let refusal) = $0 { refusal.code } else { nil } }
    }
    var leases: [Lease] {
        flatMap { if case .sendLeases(_, let leases) = $0 { leases } else { [Lease]() } }
    }
    var audits: [Audit] {
        flatMap { if case .sendAudits(_, let audits) = $0 { audits } else { [Audit]() } }
    }
    var facts: [Fact] { compactMap { if case .journal(let fact) = $0 { fact } else { nil } } }
    var receipts: [Receipt] { compactMap { if case .sendReceipt(_, let receipt) = $0 { receipt } else { nil } } }
    var settlements: [Settlement] { compactMap { if case .settle(let settlement) = $0 { settlement } else { nil } } }
    var batches: [(step: UInt64, groups: [Hash256])] {
        compactMap { if case .sendBatch(_, let step, let groups) = $0 { (step, groups) } else { nil } }
    }
    var cancelled: [UInt64: LeaseEnd] {
        reduce(into: [:]) { if case .cancelLease(_, let lease, let reason) = $1 { $0[lease] = reason } }
    }
    var stops: Bool { contains { if case .stop = $0 { true } else { false } } }
    var isWelcome: Bool { contains { if case .welcome = $0 { true } else { false } } }
}
