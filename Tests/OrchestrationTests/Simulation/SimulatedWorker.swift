import Identity

@testable import Orchestration

/// A worker: honest, or dishonest in one of the ways that the design names.
final class SimulatedWorker: SimulatedMember {
    let kind: Scenario.WorkerKind
    private let milliseconds: UInt64
    private var leases: [Lease] = []
    private var settled: Set<UInt64> = []
    private var unreceipted: [UInt64: Submission] = [:]
    private var request: UInt64?
    private var isBusy = false
    private var finished = 0
    private var engines: [UInt64: String] = [:]

    init(_ world: World, key: PublicKey, kind: Scenario.WorkerKind) {
        self.kind = kind
        milliseconds = 10 + world.random.below(60)
        super.init(world, key: key, role: .worker)
    }

    override var engine: String {
        switch kind {
        case .foreign: "other"
        case .switcher: finished < 8 ? "other" : ""
        default: ""
        }
    }

    override func wipe() {
        leases = []
        settled = []
        unreceipted = [:]
        request = nil
        isBusy = false
    }

    override func welcomed(_ welcome: Welcome) {
        request = nil
        for submission in unreceipted.values.sorted(by: { $0.lease < $1.lease }) { submit(submission) }
        ask()
        work()
    }

    private func ask() {
        let capacity = 5
        guard isWelcome, leases.count < capacity, request.map({ !isUnanswered($0) }) ?? true else { return }
        let count = capacity - leases.count
        request = call { .leasesRequested(from: $0, groups: count) }
    }

    override func take(_ action: Action) {
        switch action {
        case .sendLeases(_, let granted):
            for lease in granted where !settled.contains(lease.id) && unreceipted[lease.id] == nil {
                if !leases.contains(where: { $0.id == lease.id }) { leases.append(lease) }
                engines[lease.id] = engines[lease.id] ?? engine
            }
            if world.random.chance(0.02), let lease = leases.last { giveBack(lease) }
            work()
            ask()
        case .cancelLease(_, let lease, _):
            leases.removeAll { $0.id == lease }
        case .sendReceipt(_, let receipt):
            world.noteReceipt(receipt)
            unreceipted[receipt.lease] = nil
            settled.insert(receipt.lease)
            if kind == .equivocator, finished >= 2 {
                let second = world.group(lease: receipt.lease, worker: key, salt: "second", isBad: true)
                submit(Submission(lease: receipt.lease, group: second, tokens: 1))
            }
        default: break
        }
    }

    private func giveBack(_ lease: Lease) {
        leases.removeAll { $0.id == lease.id }
        settled.insert(lease.id)
        call { .leasesReturned(from: $0, leases: [lease.id]) }
    }

    override func refused(_ message: UInt64, _ refusal: Refusal) {
        // Whatever was refused is not tried again; only submissions keep anything.
        for (lease, _) in unreceipted where submissions[message] == lease {
            unreceipted[lease] = nil
            settled.insert(lease)
        }
    }

    private var submissions: [UInt64: UInt64] = [:]

    private func submit(_ submission: Submission) {
        let message = call { .groupSubmitted(submission, from: $0) }
        submissions[message] = submission.lease
    }

    private func work() {
        guard !isBusy, !leases.isEmpty else { return }
        isBusy = true
        let current = life
        if world.random.chance(0.3) {
            world.tell(.leaseProgress(from: connection, leases: leases.map(\.id)))
        }
        world.after(milliseconds + world.random.below(milliseconds)) { [weak self] in
            guard let self, self.life == current, self.isUp, !self.hasLeft else { return }
            self.isBusy = false
            if self.kind == .idle {
                self.world.tell(.leaseProgress(from: self.connection, leases: self.leases.map(\.id)))
            } else {
                self.handIn()
            }
            self.work()
            self.ask()
        }
    }

    private func handIn() {
        guard !leases.isEmpty else { return }
        let lease = leases.removeFirst()
        finished += 1
        let isBad =
            switch kind {
            case .cheater: true
            case .lateCheater: finished > 3
            case .patient: finished > 12
            case .sometimes: world.random.chance(0.2)
            case .foreseer: finished > 8 && finished % 4 != 0
            case .switcher: true
            case .foreign, .honest, .equivocator, .malformed, .idle: false
            }
        let group = world.group(lease: lease.id, worker: key, salt: isBad ? "bad" : "", isBad: isBad)
        var claimed = engines[lease.id] ?? engine
        if kind == .switcher, world.random.chance(0.1) { claimed = claimed.isEmpty ? "other" : "" }
        // Of work that is not known, everybody knows that it is audited.
        let isForeseen = kind == .foreseer && finished > 8 && !isBad
        var failure: Finding?
        if kind == .malformed {
            failure = Finding(check: "limits", reason: "Too many tokens.", severity: .soft)
        }
        let submission = Submission(
            lease: lease.id, group: group, tokens: 10, work: isForeseen ? 0 : World.work(lease.slot),
            content: isBad ? group : World.content(lease), engine: claimed, failure: failure)
        unreceipted[lease.id] = submission
        submit(submission)
        if kind == .switcher, finished == 8 { reconnect() }
    }

    override func drained(_ isFinished: Bool) {
        if isFinished { hasLeft = true }
    }
}
