import Identity

@testable import Orchestration

/// A whole swarm in one thread: members, a bad network, and an orchestrator whose process dies and comes back.
final class World {
    /// A running orchestrator; a class so that the simulation copies nothing.
    private final class Process {
        var run: Run
        init(_ run: Run) { self.run = run }
    }

    let scenario: Scenario
    var random: SplitMix
    private(set) var now: UInt64 = 0
    private var calendar = Calendar<() -> Void>()

    // The orchestrator's process.
    private var process: Process?
    var run: Run? { process?.run }
    private var bornAt: UInt64 = 0
    private var clockOffset: UInt64 = 0
    private var unsent: [Action] = []

    // The orchestrator's disk.
    private(set) var journal: [Fact] = []
    private var snapshot: DurableState?
    let witness: Witness
    /// Apart from the swarm's, so that snapshots do not change what happens.
    private var snapshotRandom: SplitMix

    private var members: [SimulatedMember] = []
    private var connections: [ConnectionID: SimulatedMember] = [:]
    private var nextConnection: UInt64 = 1
    private var badGroups: Set<Hash256> = []
    private var lastingDoubts: [Hash256] = []
    private(set) var failures: [String] = []
    private(set) var events = 0
    private(set) var snapshotsUsed = 0
    private(set) var isStopped = false

    init(_ scenario: Scenario) {
        self.scenario = scenario
        random = SplitMix(scenario.seed ^ 0xABCD)
        snapshotRandom = SplitMix(scenario.seed ^ 0x5A47)
        witness = Witness(scenario)
    }

    func fail(_ message: String) {
        if failures.count < 5 { failures.append("seed \(scenario.seed) at \(now) ms: \(message)") }
    }

    /// Runs until the orchestrator says stop, and returns what went wrong.
    func simulate(limit: UInt64 = 600_000) -> [String] {
        members = scenario.workers.enumerated().map {
            SimulatedWorker(self, key: scenario.workerKey($0.offset), kind: $0.element)
        }
        members += scenario.verifiers.enumerated().map {
            SimulatedVerifier(self, key: scenario.verifierKey($0.offset), kind: $0.element)
        }
        members.append(SimulatedTrainer(self))
        boot()
        tick()
        for member in members {
            let isLiar = (member as? SimulatedVerifier)?.kind == .liar
            after(random.below(100) + (isLiar ? 500 : 0)) { member.start() }
        }
        scheduleKills()
        while !isStopped, failures.isEmpty, let (time, item) = calendar.next() {
            now = time
            if now > limit {
                fail("the run is not over: step \(run?.state.doneStep ?? 0) of \(scenario.steps) \(scenario)")
                break
            }
            item()
        }
        if failures.isEmpty, let run { witness.checkEnd(run).forEach(fail) }
        if failures.isEmpty, !lastingDoubts.allSatisfy(witness.wasChecked) {
            fail("a group that the trainer found wrong was never looked at")
        }
        return failures
    }

    func after(_ milliseconds: UInt64, _ item: @escaping () -> Void) {
        calendar.enter(item, at: now + milliseconds)
    }

    private func scheduleKills() {
        for _ in 0..<scenario.kills {
            for member in members {
                after(random.below(3_000)) { [self] in
                    member.kill()
                    after(10 + random.below(1_500)) { member.start() }
                }
                after(random.below(3_000)) { member.reconnect() }
            }
            after(random.below(3_000)) { [self] in crash() }
        }
    }

    // MARK: - The network

    func newConnection(_ member: SimulatedMember) -> ConnectionID {
        let id = ConnectionID(nextConnection)
        nextConnection += 1
        connections[id] = member
        return id
    }

    /// Sends an event to the orchestrator: late, twice, or not at all.
    func tell(_ event: Event) { tell([event]) }

    /// The same with the events of one message.
    func tell(_ message: [Event]) {
        if random.chance(scenario.loss) { return }
        let copies = random.chance(scenario.duplication) ? 2 : 1
        for _ in 0..<copies {
            after(1 + random.below(scenario.delay)) { [self] in message.forEach(hear) }
        }
    }

    private func send(_ action: Action, to connection: ConnectionID) {
        if random.chance(scenario.loss) { return }
        let copies = random.chance(scenario.duplication) ? 2 : 1
        for _ in 0..<copies {
            after(1 + random.below(scenario.delay)) { [self] in
                guard let member = connections[connection], member.connection == connection else { return }
                member.receive(action)
            }
        }
    }

    // MARK: - The orchestrator's process

    private var instant: Instant { Instant(milliseconds: now - bornAt + clockOffset) }

    private func boot() {
        do {
            let reborn = try Run(configuration: scenario.configuration, replaying: journal)
            if reborn.state != witness.shadow { fail("the journal does not rebuild the state") }
            process = Process(try resumed() ?? reborn)
            bornAt = now
            clockOffset = random.below(1_000_000)
        } catch {
            fail("\(error)")
        }
    }

    /// What a snapshot and the facts after it amount to; nil where there is none, or it is left lying.
    private func resumed() throws -> Run? {
        guard let snapshot, snapshotRandom.chance(0.3) else { return nil }
        let resumed = try Run(
            configuration: scenario.configuration, resuming: try Snapshot.copy(of: snapshot),
            replaying: journal[Int(snapshot.factCount)...])
        if resumed.state != witness.shadow { fail("the snapshot and the facts after it do not rebuild the state") }
        snapshotsUsed += 1
        return resumed
    }

    private func crash() {
        guard process != nil else { return }
        process = nil
        unsent = []
        after(10 + random.below(1_000)) { [self] in boot() }
    }

    private func tick() {
        hear(.tick)
        commit()
        after(50) { [self] in tick() }
    }

    private func hear(_ event: Event) {
        guard let process, !isStopped else { return }
        events += 1
        unsent += process.run.step(event, at: instant)
        witness.checkBounds(process.run).forEach(fail)
        // The driver may gather several events for one transaction.
        if random.chance(0.8) { commit() }
    }

    /// Journals and settles everything in one transaction, then carries out the rest.
    private func commit() {
        guard let process, !unsent.isEmpty else { return }
        let actions = unsent
        unsent = []
        witness.checkOrder(actions).forEach(fail)
        for case .journal(let fact) in actions { journal.append(fact) }
        witness.record(actions).forEach(fail)
        if events % 16 == 0, process.run.state != witness.shadow { fail("the live state is not what the journal says") }
        // Written when it is needed, which comes to the same and takes a tenth of the time.
        if scenario.kills > 0, snapshotRandom.chance(0.05) { snapshot = process.run.state }
        // The process may die between the sync and the sending.
        if scenario.kills > 0, random.chance(0.0005) {
            crash()
            return
        }
        for action in actions { carryOut(action) }
    }

    private func carryOut(_ action: Action) {
        switch action {
        case .welcome(let to, _), .refuse(let to, _), .acknowledge(let to), .sendLeases(let to, _),
            .sendReceipt(let to, _), .sendAudits(let to, _), .sendBatch(let to, _, _):
            send(action, to: to.connection)
        case .close(let to), .cancelLease(let to, _, _), .sendStanding(let to, _), .sendDrain(let to, _, _):
            send(action, to: to)
        case .announceVersion(let everyone, _, _):
            for connection in everyone { send(action, to: connection) }
        case .announceEpoch(let everyone, _):
            for connection in everyone { send(action, to: connection) }
        case .scoreGroup(let group):
            let rewards: [Float]? = random.chance(0.03) ? nil : [1, 0]
            after(2 + random.below(30)) { [self] in hear(.groupScored(group: group, rewards: rewards)) }
        case .stop: isStopped = true
        case .journal, .settle, .forgetGroups, .report: break
        }
    }

    // MARK: - What members ask and tell the world

    /// The payload's hash: the same for the same work, so that doing it again after a crash is no second group.
    func group(lease: UInt64, worker: PublicKey, salt: String, isBad: Bool) -> Hash256 {
        var hash = SHA256()
        hash.update(littleEndian: lease)
        hash.update(worker.rawBytes)
        hash.update(utf8: salt)
        let group = hash.finalize()
        if isBad { badGroups.insert(group) }
        return group
    }

    /// What a slot's group takes to generate: not the same for all.
    static func work(_ slot: UInt64) -> Int64 { 1_005 + Int64(slot % 4) * 50 }

    /// The hash of the tokens that everybody honest comes to.
    static func content(_ lease: Lease) -> Hash256 {
        var hash = SHA256()
        hash.update(littleEndian: lease.slot)
        hash.update(lease.version.weightsHash)
        return hash.finalize()
    }

    /// Whether an honest replay finds a group wrong: one of another engine is compared by tolerances, and passes here.
    func isBad(_ group: Hash256) -> Bool {
        badGroups.contains(group) && !witness.isTolerated(group)
    }

    /// What the trainer finds in a batch: groups whose numbers are made up, among those that nobody audited or about which
    /// verifiers contradict each other, and some that it cannot compute.
    func findings(_ groups: [Hash256]) -> (doubted: [Hash256], unavailable: [Hash256]) {
        let contested = run?.state.contestedGroups ?? []
        let unaudited = groups.filter { !witness.wasReplayed($0) || contested.contains($0) }
        return (unaudited.filter(isBad), unaudited.filter { !isBad($0) && random.chance(scenario.trainerFaults) })
    }

    /// Notes what the trainer found wrong in a batch that a checkpoint of it covers.
    func noteLasting(_ doubted: [Hash256]) { lastingDoubts += doubted }

    func noteReceipt(_ receipt: Receipt) { witness.checkReceipt(receipt).forEach(fail) }

    func noteBatch(_ step: UInt64, _ groups: [Hash256]) {
        let isHidden = scenario.verifiers.contains(.colluder)
        if !isHidden, groups.contains(where: { isBad($0) && witness.wasReplayed($0) }) {
            fail("a group that an audit must have found bad is in batch \(step)")
        }
        witness.checkBatch(step, groups).forEach(fail)
    }
}
