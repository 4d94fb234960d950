import Identity

@testable import Orchestration

extension Bench {
    /// A bench whose trusted workers are hardly ever audited, with a large stake for whoever is invited; two workers have
    /// joined.
    static func adaptive(
        groupsPerBatch: Int = 100, steps: UInt64 = 10, _ adjust: (inout Run.Configuration) -> Void = { _ in }
    ) throws -> Bench {
        var bench = try Bench(steps: steps, groupsPerBatch: groupsPerBatch, pace: 3) {
            $0.auditing.mode = .adaptive
            $0.auditing.floor = 1
            $0.auditing.trustedAfter = 2
            $0.auditing.leaseTokens = 100
            $0.invitedStake = 1_000_000_000
            $0.workers = .invitation(Set(workers.map(Scenario.invitation)))
            adjust(&$0)
        }
        bench.begin()
        for worker in workers.prefix(2) { bench.join(worker, .worker, invitation: Scenario.invitation(worker)) }
        return bench
    }

    /// Has a worker hand in groups of 1,000 FLOPs; those that are not audited are scored, unless their scorer fails.
    @discardableResult
    mutating func hand(
        _ worker: PublicKey, _ count: Int, isScored: Bool = true, work: Int64 = 1_000, engine: String = ""
    ) -> [Hash256] {
        var groups: [Hash256] = []
        for lease in ask(worker, count) {
            let submission = Submission(
                lease: lease.id, group: Self.group(lease.id), tokens: 5, work: work,
                content: SHA256.hash([UInt8(truncatingIfNeeded: lease.slot)]), engine: engine)
            let actions = send(.groupSubmitted(submission, from: from(worker)))
            for case .scoreGroup(let group) in actions {
                send(.groupScored(group: group, rewards: isScored ? [1, 0] : nil))
            }
            groups.append(submission.group)
        }
        return groups
    }

    /// What an honest verifier says of an honest group.
    static let good = AuditVerdict.accepted(.init(rewards: [1, 0], verifiedFLOPs: 1_000, auditFLOPs: 100))

    /// Makes a worker trusted beyond the floor, by groups that are audited.
    mutating func trust(_ worker: PublicKey, groups: UInt64 = 30) {
        let verifier = Self.verifiers[0]
        if run.connection(of: verifier) == nil { join(verifier, .verifier) }
        while (run.state.workers[worker]?.audited ?? 0) < groups {
            // What cannot be scored is audited.
            guard !hand(worker, 1, isScored: false).isEmpty else { return }
            audit(Self.good)
        }
    }

    /// A worker leaves, and another one's groups bring the next epoch; their audits are done.
    mutating func leave(_ worker: PublicKey, before other: PublicKey) {
        send(.goodbye(from: connection(worker)))
        let epoch = run.state.epoch?.number
        while run.state.epoch?.number == epoch, !hand(other, 1, isScored: false).isEmpty { send(.tick) }
        for audit in audits(Self.verifiers[0]) where run.state.groups[audit.group]?.worker == other {
            report(Self.verifiers[0], audit.id, Self.good)
        }
    }

    /// Asks for audits in a verifier's name, and returns all that it holds: an earlier request may have been answered.
    mutating func audits(_ verifier: PublicKey, _ groups: Int = 100) -> [Audit] {
        send(.auditsRequested(from: from(verifier), groups: groups))
        return run.state.audits.filter { $0.value.verifier == verifier }.keys.sorted().compactMap { run.audit($0) }
    }
}
