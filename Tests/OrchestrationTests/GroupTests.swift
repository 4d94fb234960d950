import Identity
import Testing

@testable import Orchestration

@Suite("Groups")
struct GroupTests {
    let alice = Bench.workers[0]
    let bob = Bench.workers[1]

    private func bench() throws -> (Bench, Lease) {
        var bench = try Bench(groupsPerBatch: 1, pace: 0)
        bench.begin()
        bench.join(alice, .worker)
        bench.join(bob, .worker)
        let lease = bench.ask(alice, 1)[0]
        return (bench, lease)
    }

    @Test("The receipt comes after the fact, and again for the same group")
    func receipt() throws {
        var (bench, lease) = try bench()
        let actions = bench.submit(alice, lease.id)
        guard case .journal(.groupReceived(let group, _, _, _, _, _)) = actions[0], case .sendReceipt = actions[1]
        else {
            Issue.record("\(actions)")
            return
        }
        let receipt = Receipt(lease: lease.id, group: group, worker: alice, duplicate: true)
        let again = bench.submit(alice, lease.id)
        #expect(again.receipts == [receipt] && again.facts.isEmpty)
        try bench.restart()
        bench.join(alice, .worker)
        #expect(bench.submit(alice, lease.id).receipts == [receipt])
    }

    @Test("Two different groups for one lease are slashed at once, and what is pending is withdrawn")
    func equivocation() throws {
        var (bench, lease) = try bench()
        bench.submit(alice, lease.id)
        let actions = bench.submit(alice, lease.id, salt: 1)
        #expect(actions.refusals == ["equivocation", "banned"])
        #expect(actions.settlements == [.slashed(worker: alice)])
        #expect(bench.run.state.workers[alice]?.ban?.check == "equivocation")
        #expect(bench.run.state.groups.isEmpty && bench.run.state.waitingSlots == [0])
        #expect(bench.join(alice, .worker).refusals == ["banned"])
    }

    @Test("The driver knows which submissions to check")
    func checks() throws {
        var (bench, lease) = try bench()
        let (here, there) = (bench.connection(alice), bench.connection(bob))
        let (first, second) = (Bench.group(lease.id), Bench.group(lease.id, 1))
        #expect(bench.run.awaitsGroup(lease.id, group: first, on: here))
        #expect(!bench.run.awaitsGroup(lease.id, group: first, on: there))
        bench.submit(alice, lease.id)
        #expect(!bench.run.awaitsGroup(lease.id, on: here))
        #expect(!bench.run.awaitsGroup(lease.id, group: first, on: here))
        #expect(bench.run.awaitsGroup(lease.id, group: second, on: here))
        #expect(bench.run.lease(lease.id, on: here)?.version.number == 1)
    }

    @Test("A second payload without a valid signature proves nothing")
    func unattributable() throws {
        var (bench, lease) = try bench()
        bench.submit(alice, lease.id)
        let failure = Finding(check: "signature", reason: "It does not hold.", severity: .refuse)
        #expect(bench.submit(alice, lease.id, salt: 1, failure: failure).refusals == ["signature"])
        #expect(bench.run.state.workers[alice]?.ban == nil)
    }

    @Test("A late group owns its slot if it comes before the other, whose lease is cancelled")
    func lateWins() throws {
        var (bench, lease) = try bench()
        bench.send(.leasesReturned(from: bench.from(alice), leases: [lease.id]))
        let second = bench.ask(bob, 1)[0]
        let actions = bench.submit(alice, lease.id)
        #expect(actions.receipts.count == 1)
        #expect(actions.cancelled == [second.id: .slotOwned])
        let refused = bench.submit(bob, second.id)
        #expect(refused.refusals == ["slot-owned"] && refused.facts.isEmpty)
    }

    @Test("A late group that comes second is refused, nobody to blame")
    func lateLoses() throws {
        var (bench, lease) = try bench()
        bench.send(.leasesReturned(from: bench.from(alice), leases: [lease.id]))
        let second = bench.ask(bob, 1)[0]
        bench.submit(bob, second.id)
        let refused = bench.submit(alice, lease.id)
        #expect(refused.refusals == ["slot-owned"] && refused.facts.isEmpty)
    }

    @Test("Nobody hands in for another's lease, or for one that never was")
    func strangers() throws {
        var (bench, lease) = try bench()
        #expect(bench.submit(bob, lease.id).refusals == ["lease-settled"])
        #expect(bench.submit(bob, 999).refusals == ["lease-unknown"])
        #expect(bench.submit(bob, 0).refusals == ["lease-unknown"])
        #expect(bench.submit(alice, .max).refusals == ["lease-unknown"])
    }

    @Test("A failed cheap check is a strike, once per lease; the slot is leased again")
    func cheapChecks() throws {
        var (bench, lease) = try bench()
        let failure = Finding(check: "termination", reason: "Tokens after the stop token.", severity: .soft)
        #expect(bench.submit(alice, lease.id, failure: failure).refusals == ["termination"])
        #expect(bench.submit(alice, lease.id, failure: failure).refusals == ["lease-settled"])
        #expect(bench.run.state.workers[alice]?.strikes == 1)
        #expect(bench.run.state.counters.rejected == ["termination": 1])
        let again = bench.ask(alice, 1)
        #expect(again.map(\.groupID) == [lease.groupID])
    }

    @Test("The same payload under two leases is refused")
    func knownGroup() throws {
        var bench = try Bench(groupsPerBatch: 2)
        bench.begin()
        bench.join(alice, .worker)
        let leases = bench.ask(alice, 2)
        let group = Bench.group(1)
        bench.send(.groupSubmitted(Submission(lease: leases[0].id, group: group, tokens: 1), from: bench.from(alice)))
        let actions = bench.send(
            .groupSubmitted(Submission(lease: leases[1].id, group: group, tokens: 1), from: bench.from(alice)))
        #expect(actions.refusals == ["group-known"])
    }
}
