import Identity
import Testing

@testable import Orchestration

@Suite("Workers with other engines")
struct ForeignTests {
    let alice = Bench.workers[0]
    let bob = Bench.workers[1]
    let first = Bench.verifiers[0]

    @Test("Their groups are audited one and all, and earn neither trust nor the right to vouch")
    func noTrust() throws {
        var bench = try Bench.adaptive()
        bench.trust(bob)
        bench.join(alice, .worker, engine: "other")
        for _ in 0..<40 {
            bench.hand(alice, 1, engine: "other")
            bench.audit(Bench.good)
        }
        let worker = try #require(bench.run.state.workers[alice])
        #expect(worker.accepted == 40 && worker.earned == 40_000 && worker.streak == 0)
        #expect(worker.unvested.isEmpty)
        #expect(bench.run.state.counters.verifiedGroups == 30)
        // The same key under the canonical arithmetic begins like any other.
        bench.join(alice, .worker)
        let group = try #require(bench.hand(alice, 1).first)
        #expect(bench.run.state.groups[group]?.draw == nil)
        #expect(bench.run.state.workers[alice]?.pendingGroups == [group])
    }

    @Test("What a trusted key makes with another engine is audited, and vouches for nothing of what it made before")
    func noVouching() throws {
        var bench = try Bench.adaptive()
        bench.trust(alice)
        let waiting = bench.hand(alice, 3)
        #expect(bench.run.state.provisionalGroups == waiting)
        bench.join(alice, .worker, engine: "other")
        let foreign = try #require(bench.hand(alice, 1, engine: "other").first)
        #expect(bench.run.state.workers[alice]?.pendingGroups == [foreign])
        bench.audit(Bench.good)
        #expect(bench.run.state.acceptedGroups.last == foreign)
        #expect(bench.run.state.provisionalGroups == waiting)
        #expect(bench.run.state.workers[alice]?.unvestedCredit == 3_000)
    }

    @Test("A lease is bound to the engine of its worker then, whatever the key says later on another connection")
    func binding() throws {
        var bench = try Bench.adaptive()
        bench.trust(alice)
        bench.join(alice, .worker, engine: "other")
        let lease = try #require(bench.ask(alice, 1).first)
        bench.join(alice, .worker)
        func submit(_ engine: String) -> [Action] {
            let submission = Submission(
                lease: lease.id, group: Bench.group(lease.id), tokens: 5, work: 1_000, engine: engine)
            return bench.send(.groupSubmitted(submission, from: bench.from(alice)))
        }
        #expect(submit("").refusals == ["engine"] && bench.run.state.groups[Bench.group(lease.id)] == nil)
        #expect(submit("other").receipts.count == 1)
        #expect(bench.run.state.groups[Bench.group(lease.id)]?.isAlwaysAudited == true)
        #expect(bench.run.state.workers[alice]?.pendingGroups == [Bench.group(lease.id)])
        // And the reverse: a lease of the canonical arithmetic takes nothing that is judged by tolerances.
        let native = try #require(bench.ask(alice, 1).first)
        bench.join(alice, .worker, engine: "other")
        let submission = Submission(
            lease: native.id, group: Bench.group(native.id), tokens: 5, work: 1_000, engine: "other")
        #expect(bench.send(.groupSubmitted(submission, from: bench.from(alice))).refusals == ["engine"])
    }

    @Test("After a restart of the orchestrator a lease has the engine that it had")
    func restart() throws {
        var bench = try Bench.adaptive()
        bench.join(alice, .worker, engine: "other")
        let lease = try #require(bench.ask(alice, 1).first)
        try bench.restart()
        bench.join(alice, .worker)
        let submission = Submission(lease: lease.id, group: Bench.group(lease.id), tokens: 5, work: 1_000)
        #expect(bench.send(.groupSubmitted(submission, from: bench.from(alice))).refusals == ["engine"])
    }

    @Test("Accepted groups of one kind do not end the probation of the other")
    func probation() throws {
        var bench = try Bench.adaptive { $0.limits.probationGroups = 1 }
        bench.trust(bob)
        bench.join(alice, .worker, engine: "other")
        #expect(bench.ask(alice, 5).count == 1)
        for lease in bench.run.state.workers[alice]?.liveLeases.sorted() ?? [] {
            let submission = Submission(
                lease: lease, group: Bench.group(lease), tokens: 5, work: 1_000, engine: "other")
            bench.send(.groupSubmitted(submission, from: bench.from(alice)))
        }
        bench.audit(Bench.good)
        #expect(bench.run.state.workers[alice]?.isOnProbation(isForeign: true) == false)
        #expect(bench.run.state.workers[alice]?.isOnProbation(isForeign: false) == true)
    }

    @Test("A worker that is refused for what its groups add up to keeps its stake and gets no more leases")
    func refused() throws {
        var bench = try Bench.adaptive()
        bench.trust(bob)
        bench.join(alice, .worker, engine: "other")
        bench.hand(alice, 2, engine: "other")
        let finding = Finding(check: "margin-total", reason: "It is too far off.", severity: .soft)
        let actions = bench.send(.workerRefused(alice, finding))
        #expect(actions.refusals == ["banned"] && actions.settlements.isEmpty)
        #expect(bench.run.state.workers[alice]?.staked == 1_000_000_000)
        #expect(bench.join(alice, .worker).refusals == ["banned"])
        #expect(bench.send(.workerRefused(alice, finding)).facts.isEmpty)
    }
}
