import Identity
import Testing

@testable import Orchestration

@Suite("Processes behind keys")
struct InstanceTests {
    let alice = Bench.workers[0]
    let bob = Bench.workers[1]
    let verifier = Bench.verifiers[0]

    @Test("A new process of a worker holds nothing; what the earlier one held is leased again at once")
    func workerReplaced() throws {
        var bench = try Bench()
        bench.begin()
        bench.join(alice, .worker, instance: 1)
        bench.join(bob, .worker, instance: 9)
        let lost = bench.ask(alice, 8)
        #expect(lost.count == 8 && bench.ask(bob, 8).isEmpty)
        let actions = bench.join(alice, .worker, instance: 2)
        #expect(actions.isWelcome && bench.leases(in: actions, to: alice).isEmpty)
        // Bob has been waiting; he gets the very slots.
        #expect(Set(bench.leases(in: actions, to: bob).map(\.slot)) == Set(lost.map(\.slot)))
        #expect(actions.contains { if case .report(.leaseEnded(_, alice, .absent)) = $0 { true } else { false } })
        #expect(bench.run.state.workers[alice]?.strikes == 0)
    }

    @Test("The same process on a new connection keeps its leases, and is told them again")
    func workerReconnected() throws {
        var bench = try Bench()
        bench.begin()
        bench.join(alice, .worker, instance: 1)
        let held = bench.ask(alice, 3).map(\.id)
        bench.send(.disconnected(bench.connection(alice)))
        let again1 = bench.join(alice, .worker, instance: 1)
        #expect(bench.leases(in: again1, to: alice).map(\.id) == held)
        // A process that does not say who it is, or that this orchestrator has never seen, may be the same.
        let again2 = bench.join(alice, .worker, instance: 0)
        #expect(bench.leases(in: again2, to: alice).map(\.id) == held)
        try bench.restart()
        let again3 = bench.join(alice, .worker, instance: 3)
        #expect(bench.leases(in: again3, to: alice).map(\.id) == held)
    }

    @Test("A late group of a replaced process is still taken, if nobody was quicker")
    func lateGroup() throws {
        var bench = try Bench()
        bench.begin()
        bench.join(alice, .worker, instance: 1)
        let lease = bench.ask(alice, 1)[0]
        bench.join(alice, .worker, instance: 2)
        #expect(bench.submit(alice, lease.id).receipts.count == 1)
    }

    @Test("A new process of a verifier holds nothing; its audits wait in front, and go out again")
    func verifierReplaced() throws {
        var bench = try Bench()
        bench.begin()
        bench.join(alice, .worker, instance: 1)
        bench.join(verifier, .verifier, instance: 5)
        for lease in bench.ask(alice, 2) { bench.submit(alice, lease.id) }
        let first = bench.send(.auditsRequested(from: bench.from(verifier), groups: 9)).audits
        #expect(first.count == 2)
        #expect(bench.join(verifier, .verifier, instance: 5).audits.map(\.id) == first.map(\.id))
        #expect(bench.join(verifier, .verifier, instance: 6).audits.isEmpty)
        #expect(bench.run.state.audits.isEmpty && bench.run.state.auditQueue.count == 2)
        let second = bench.send(.auditsRequested(from: bench.from(verifier), groups: 9)).audits
        #expect(Set(second.map(\.group)) == Set(first.map(\.group)))
        #expect(Set(second.map(\.id)).isDisjoint(with: first.map(\.id)))
        // What the dead process may still have sent counts for nothing.
        let late = bench.report(verifier, first[0].id, Bench.accepted)
        #expect(late.settlements.isEmpty && bench.run.state.counters.accepted == 0)
    }

    @Test("A standing request dies with its process")
    func requests() throws {
        var bench = try Bench()
        bench.join(alice, .worker, instance: 1)
        _ = bench.ask(alice, 4)
        bench.join(alice, .worker, instance: 2)
        bench.join(Bench.trainer, .trainer)
        #expect(bench.publish(1, step: 0).leases.isEmpty)
    }

    @Test("A trainer that only reconnects goes on; a new process goes back to its checkpoint")
    func trainer() throws {
        var bench = try Bench(groupsPerBatch: 1)
        bench.join(Bench.trainer, .trainer, instance: 1)
        bench.publish(1, step: 0)
        for step in 1...3 as ClosedRange<UInt64> { bench.makeStep(step) }
        #expect(bench.run.state.doneStep == 3)
        bench.join(Bench.trainer, .trainer, resumeStep: 0, instance: 1)
        #expect(bench.run.state.doneStep == 3)
        bench.join(Bench.trainer, .trainer, resumeStep: 0, instance: 2)
        #expect(bench.run.state.doneStep == 0)
        let again = bench.requestBatch(1)
        #expect(
            again.contains { if case .sendBatch(_, 1, let groups) = $0 { groups == [Bench.group(1)] } else { false } })
    }
}
