import Identity
import Testing

@testable import Orchestration

@Suite("Leases")
struct LeaseTests {
    let alice = Bench.workers[0]
    let bob = Bench.workers[1]
    let carol = Bench.workers[2]

    @Test("Nothing is leased before the first version, and the request is answered once there is one")
    func longPoll() throws {
        var bench = try Bench()
        bench.join(alice, .worker)
        #expect(bench.ask(alice, 2).isEmpty)
        bench.join(Bench.trainer, .trainer)
        let leases = bench.publish(1, step: 0).leases
        #expect(leases.map(\.slot) == [0, 1])
        #expect(leases.allSatisfy { $0.version.number == 1 && $0.attempt == 0 })
        #expect(leases.map(\.groupID) == [0, 1].map { bench.run.configuration.groupID(slot: $0) })
    }

    @Test("Production stays within pace batches of the newest version's step", arguments: [0, 1, 3] as [UInt64])
    func pace(pace: UInt64) throws {
        var bench = try Bench(groupsPerBatch: 4, pace: pace)
        bench.begin()
        bench.join(alice, .worker)
        #expect(bench.ask(alice, 100).count == Int(pace + 1) * 4)
        #expect(bench.ask(alice, 100).isEmpty)
    }

    @Test("Never more groups than the run will use")
    func lastStep() throws {
        var bench = try Bench(steps: 1, groupsPerBatch: 4, pace: 5)
        bench.begin()
        bench.join(alice, .worker)
        #expect(bench.ask(alice, 100).count == 4)
    }

    @Test("The group's identity is SHA-256(secret ‖ u64le slot)")
    func groupIdentity() throws {
        let configuration = try Bench().run.configuration
        #expect(configuration.groupID(slot: 258) == SHA256.hash([7, 2, 1, 0, 0, 0, 0, 0, 0]))
    }

    @Test("Three equal workers that wait get a third each")
    func thirds() throws {
        var bench = try Bench(groupsPerBatch: 9, pace: 0)
        for worker in [alice, bob, carol] {
            bench.join(worker, .worker)
            #expect(bench.ask(worker, 50).isEmpty)
        }
        bench.join(Bench.trainer, .trainer)
        let actions = bench.publish(1, step: 0)
        #expect([alice, bob, carol].map { bench.leases(in: actions, to: $0).count } == [3, 3, 3])
    }

    @Test("A faster worker gets more")
    func speed() throws {
        var bench = try Bench(steps: 100, groupsPerBatch: 2, pace: 30)
        bench.begin()
        for worker in [alice, bob] { bench.join(worker, .worker) }
        let first = bench.ask(alice, 1)
        bench.now += 100
        bench.submit(alice, first[0].id)
        let second = bench.ask(bob, 1)
        bench.now += 300
        bench.submit(bob, second[0].id)
        // Without audits the worker stays on probation; both wait until a version opens the room.
        let free = bench.run.leaseRoom
        let shares = sharesOfWaiting(&bench, room: 40)
        #expect(free > 40)
        #expect(shares[alice] == 30)
        #expect(shares[bob] == 10)
    }

    private func sharesOfWaiting(_ bench: inout Bench, room: Int) -> [PublicKey: Int] {
        bench.send(.drain(reason: "hold", milliseconds: 1_000_000))
        for worker in [alice, bob] { _ = bench.ask(worker, 100) }
        let shares = bench.run.leaseShares(
            room: room, keepsShares: true, Instant(milliseconds: bench.now))
        return Dictionary(uniqueKeysWithValues: shares.map { ($0.key, $0.count) })
    }

    @Test("A busy worker's share is kept for a moment, then goes to whoever waits")
    func keptShare() throws {
        var bench = try Bench(groupsPerBatch: 10, pace: 1)
        bench.begin()
        bench.join(Bench.verifiers[0], .verifier)
        for worker in [alice, bob] {
            bench.join(worker, .worker)
            let leases = bench.ask(worker, 2)
            bench.submit(worker, leases[0].id)
            bench.audit()
        }
        // Each holds one lease; bob is busy, alice asks.
        let granted = bench.ask(alice, 100).count
        #expect(granted == 8)
        #expect(bench.ask(alice, 100).isEmpty)
        let wake = try #require(bench.run.nextWake)
        #expect(wake.elapsed(since: Instant(milliseconds: bench.now)) <= bench.run.configuration.timing.fairShare)
        let later = bench.wait(bench.run.configuration.timing.fairShare).leases
        #expect(granted + later.count == 16)
    }

    @Test("A worker on probation holds few groups, a proven one many")
    func probation() throws {
        var bench = try Bench(groupsPerBatch: 50) { $0.limits.probationGroups = 3 }
        bench.begin()
        bench.join(alice, .worker)
        let leases = bench.ask(alice, 100)
        #expect(leases.count == 3)
        bench.submit(alice, leases[0].id)
        #expect(bench.ask(alice, 100).isEmpty)
        bench.join(Bench.verifiers[0], .verifier)
        let given = bench.send(.auditsRequested(from: bench.from(Bench.verifiers[0]), groups: 9)).audits
        let actions = bench.report(Bench.verifiers[0], given[0].id, Bench.accepted)
        #expect(bench.leases(in: actions, to: alice).count == 97)
    }

    @Test("An expired lease's slot is leased again: the same group, one attempt more")
    func expiry() throws {
        var bench = try Bench(groupsPerBatch: 1, pace: 0)
        bench.begin()
        bench.join(alice, .worker)
        bench.join(bob, .worker)
        let first = bench.ask(alice, 1)
        #expect(first[0].milliseconds == 30_000)
        _ = bench.ask(bob, 1)
        for _ in 0..<5 {
            bench.now += 5_999
            for worker in [alice, bob] { bench.send(.heartbeat(from: bench.connection(worker))) }
        }
        #expect(bench.run.state.liveLeases == [first[0].id])
        let actions = bench.wait(10)
        #expect(actions.cancelled == [first[0].id: .expired])
        let second = bench.leases(in: actions, to: bob)
        #expect(second.map(\.groupID) == first.map(\.groupID))
        #expect(second[0].attempt == 1 && second[0].id != first[0].id)
    }

    @Test("Progress renews a lease, but not for ever")
    func renewal() throws {
        var bench = try Bench(groupsPerBatch: 1, pace: 0) { $0.timing.leaseRenewals = 3 }
        bench.begin()
        bench.join(alice, .worker)
        let lease = bench.ask(alice, 1)[0]
        var lived: UInt64 = 0
        while bench.run.state.liveLeases.contains(lease.id), lived < 1_000_000 {
            bench.now += 1_000
            lived += 1_000
            bench.send(.leaseProgress(from: bench.connection(alice), leases: [lease.id, 99]))
        }
        #expect(lived == 90_000)
        // Who let a lease expire waits for the next, longer every time, until it hands something in.
        #expect(bench.ask(alice, 1).isEmpty)
        bench.now += 10_000
        bench.send(.heartbeat(from: bench.connection(alice)))
        bench.now += 10_000
        bench.send(.heartbeat(from: bench.connection(alice)))
        let next = bench.wait(10_000).leases
        #expect(next.count == 1)
        bench.submit(alice, next[0].id)
        #expect(bench.run.presence.members[alice]?.stalls == 0)
    }

    @Test("A returned lease counts neither for nor against")
    func returned() throws {
        var bench = try Bench(groupsPerBatch: 1, pace: 0)
        bench.begin()
        bench.join(alice, .worker)
        let lease = bench.ask(alice, 1)[0]
        bench.send(.leasesReturned(from: bench.from(alice), leases: [lease.id, lease.id, 77]))
        let again = bench.ask(alice, 1)
        #expect(again.map(\.groupID) == [lease.groupID])
        #expect(bench.run.state.workers[alice]?.strikes == 0)
    }

    @Test("A worker that comes back gets its leases again; one that stays away loses them")
    func reconnection() throws {
        var bench = try Bench(groupsPerBatch: 2, pace: 0)
        bench.begin()
        bench.join(alice, .worker)
        let leases = bench.ask(alice, 2)
        bench.send(.disconnected(bench.connection(alice)))
        bench.wait(9_000)
        let back = bench.join(alice, .worker).leases
        #expect(back.map(\.id) == leases.map(\.id))
        bench.send(.disconnected(bench.connection(alice)))
        bench.wait(11_000)
        #expect(bench.run.state.liveLeases.isEmpty)
        #expect(bench.run.state.waitingSlots == [0, 1])
    }

    @Test("After a restart leases live on with new clocks, and their workers are waited for")
    func restart() throws {
        var bench = try Bench(groupsPerBatch: 2, pace: 0)
        bench.begin()
        bench.join(alice, .worker)
        let leases = bench.ask(alice, 2)
        try bench.restart()
        bench.wait(9_000)
        #expect(bench.send(.heartbeat(from: ConnectionID(1))).refusals == ["hello-required"])
        #expect(bench.join(alice, .worker).leases.map(\.id) == leases.map(\.id))
        #expect(bench.submit(alice, leases[0].id).receipts.count == 1)
    }

    @Test("A version cancels only the leases that no batch to come could take")
    func cancellation() throws {
        var bench = try Bench(groupsPerBatch: 1, pace: 1, staleness: 1)
        bench.begin()
        bench.join(bob, .worker)
        let old = bench.ask(bob, 1)[0]
        bench.makeStep(1)
        #expect(bench.run.state.liveLeases.contains(old.id))
        bench.produce(1)
        // Batch 2 is cut: batch 3 could not take version 1 any more.
        let actions = bench.requestBatch(2)
        #expect(actions.cancelled == [old.id: .stale])
        #expect(bench.submit(bob, old.id).refusals == ["lease-settled"])
        #expect(bench.run.state.workers[bob]?.strikes == 0)
    }

    @Test("A repeated request that was answered brings the same leases, not more")
    func repeatedRequest() throws {
        var bench = try Bench()
        bench.begin()
        bench.join(alice, .worker)
        let from = bench.from(alice)
        let first = bench.send(.leasesRequested(from: from, groups: 2)).leases
        let second = bench.send(.leasesRequested(from: from, groups: 2)).leases
        #expect(first == second && first.count == 2)
    }

    @Test(
        "Who takes leases and gives them back gets none for a while, twice as long each time, until it hands in a group"
    )
    func churn() throws {
        var bench = try Bench(groupsPerBatch: 8, pace: 8) { $0.timing.returned = 1_000 }
        bench.begin()
        bench.join(alice, .worker)
        // Once is free.
        bench.send(.leasesReturned(from: bench.from(alice), leases: bench.ask(alice, 4).map(\.id)))
        var held = bench.ask(alice, 4)
        #expect(held.count == 4)
        for pause in [1_000, 2_000, 4_000] as [UInt64] {
            bench.send(.leasesReturned(from: bench.from(alice), leases: held.map(\.id)))
            // A new process under the same key is the same worker.
            bench.join(alice, .worker, instance: pause)
            bench.send(.goodbye(from: bench.connection(alice)))
            bench.join(alice, .worker)
            #expect(bench.ask(alice, 4).isEmpty)
            #expect(bench.leases(in: bench.wait(pause - 1), to: alice).isEmpty)
            held = bench.leases(in: bench.wait(1), to: alice)
            #expect(held.count == 4)
        }
        bench.submit(alice, held[0].id)
        bench.send(.leasesReturned(from: bench.from(alice), leases: held.dropFirst().map(\.id)))
        #expect(bench.ask(alice, 4).count == 4)
    }
}
