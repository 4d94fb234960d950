import Identity

@testable import Orchestration

/// A verifier: honest, lazy (it gives up or falls silent), or a liar that accuses honest groups.
final class SimulatedVerifier: SimulatedMember {
    let kind: Scenario.VerifierKind
    private var audits: [Audit] = []
    private var known: Set<UInt64> = []
    private var request: UInt64?
    private var isBusy = false

    init(_ world: World, key: PublicKey, kind: Scenario.VerifierKind) {
        self.kind = kind
        super.init(world, key: key, role: .verifier)
    }

    override func wipe() {
        audits = []
        known = []
        request = nil
        isBusy = false
    }

    override func welcomed(_ welcome: Welcome) {
        request = nil
        // What was reported and not acknowledged is sent again by the orchestrator and done again.
        known = Set(audits.map(\.id))
        ask()
        work()
    }

    private func ask() {
        guard isWelcome, audits.count < 4, request.map({ !isUnanswered($0) }) ?? true else { return }
        let count = 4 - audits.count
        request = call { .auditsRequested(from: $0, groups: count) }
    }

    override func take(_ action: Action) {
        guard case .sendAudits(_, let given) = action else { return }
        for audit in given where known.insert(audit.id).inserted { audits.append(audit) }
        work()
        ask()
    }

    private func work() {
        guard !isBusy, !audits.isEmpty else { return }
        isBusy = true
        let current = life
        world.after(5 + world.random.below(20)) { [weak self] in
            guard let self, self.life == current, self.isUp, !self.hasLeft else { return }
            self.isBusy = false
            self.report()
            self.work()
            self.ask()
        }
    }

    private func report() {
        guard !audits.isEmpty else { return }
        let audit = audits.removeFirst()
        if kind == .lazy {
            if world.random.chance(0.2) { return }
            if world.random.chance(0.2) {
                call { .auditsFaulted(from: $0, audits: [audit.id], reason: "no memory") }
                return
            }
        }
        let verdict = verdict(audit)
        call { .auditReported(from: $0, audit: audit.id, verdict: verdict) }
    }

    private func verdict(_ audit: Audit) -> AuditVerdict {
        if kind == .lazy, world.random.chance(0.2) { return .inconclusive(reason: "unreadable") }
        if kind == .colluder {
            return .accepted(.init(rewards: [1, 0], verifiedFLOPs: World.work(audit.slot), auditFLOPs: 40))
        }
        let isAccused = world.isBad(audit.group) || (kind == .liar && world.random.chance(0.5))
        if isAccused {
            return .rejected(
                Finding(
                    check: world.random.pick(["commitment", "sampling"]), reason: "It differs.", severity: .soft),
                auditFLOPs: 40)
        }
        return .accepted(.init(rewards: [1, 0], verifiedFLOPs: World.work(audit.slot), auditFLOPs: 40))
    }

    override func drained(_ isFinished: Bool) {
        if isFinished { hasLeft = true }
    }
}
