import Identity
import Testing

@testable import Orchestration

@Suite("Members")
struct MemberTests {
    let alice = Bench.workers[0]
    let bob = Bench.workers[1]

    @Test("Only listed keys join a listed run")
    func list() throws {
        var bench = try Bench { $0.workers = .list([Bench.workers[0]]) }
        #expect(bench.join(alice, .worker).isWelcome)
        #expect(bench.join(bob, .worker).refusals == ["not-listed"])
        var closed = try Bench { $0.verifiers = .list([]) }
        #expect(closed.join(alice, .verifier).refusals == ["not-listed"])
    }

    @Test("An invitation admits one key, for good, and grants its stake once")
    func invitations() throws {
        let token = SHA256.hash([1])
        var bench = try Bench {
            $0.workers = .invitation([token])
            $0.invitedStake = 500
        }
        #expect(bench.join(alice, .worker).refusals == ["no-invitation"])
        #expect(bench.join(alice, .worker, invitation: .zero).refusals == ["no-invitation"])
        let actions = bench.join(alice, .worker, invitation: token)
        #expect(actions.settlements == [.staked(worker: alice, invitation: token, amount: 500)])
        #expect(bench.join(bob, .worker, invitation: token).refusals == ["invitation-used"])
        try bench.restart()
        let again = bench.join(alice, .worker)
        #expect(again.isWelcome && again.settlements.isEmpty)
    }

    @Test("The newest connection of a key counts; the older one is told and closed")
    func superseded() throws {
        var bench = try Bench()
        bench.begin()
        bench.join(alice, .worker)
        let old = bench.connection(alice)
        let actions = bench.join(alice, .worker)
        #expect(actions.contains(.close(old)) && actions.refusals == ["superseded"])
        #expect(bench.send(.heartbeat(from: old)).refusals == ["hello-required"])
        let late = bench.send(.hello(Hello(key: alice, role: .worker), from: Correspondent(old, message: 1)))
        #expect(late.refusals == ["superseded"])
        #expect(bench.ask(alice, 1).count == 1)
    }

    @Test("A repeated hello on the same connection changes nothing")
    func repeatedHello() throws {
        var bench = try Bench()
        bench.join(alice, .worker)
        _ = bench.ask(alice, 3)
        let hello = Hello(key: alice, role: .worker)
        #expect(bench.send(.hello(hello, from: Correspondent(bench.connection(alice), message: 1))).isWelcome)
        bench.join(Bench.trainer, .trainer)
        #expect(bench.publish(1, step: 0).leases.count == 3)
    }

    @Test("One key has one role at a time, and every message its role")
    func roles() throws {
        var bench = try Bench()
        bench.join(alice, .worker)
        #expect(bench.join(alice, .verifier).refusals == ["key-in-use"])
        bench = try Bench()
        bench.join(alice, .worker)
        #expect(bench.send(.auditsRequested(from: bench.from(alice), groups: 1)).refusals == ["wrong-role"])
        #expect(bench.send(.batchRequested(from: bench.from(alice), step: 1)).refusals == ["wrong-role"])
        #expect(bench.send(.checkpointStable(from: bench.from(alice), step: 1)).refusals == ["wrong-role"])
        #expect(
            bench.send(.leasesRequested(from: Correspondent(ConnectionID(77)), groups: 1)).refusals == [
                "hello-required"
            ])
    }

    @Test("A silent member counts as gone")
    func silence() throws {
        var bench = try Bench()
        bench.join(alice, .worker)
        bench.wait(14_999)
        #expect(bench.run.connection(of: alice) != nil)
        bench.wait(2)
        #expect(bench.run.connection(of: alice) == nil)
        bench.wait(10_001)
        #expect(bench.run.presence.members.isEmpty && bench.run.nextWake == nil)
    }

    @Test("A full run says so")
    func full() throws {
        var bench = try Bench { $0.limits.connections = 1 }
        bench.join(alice, .worker)
        #expect(bench.join(bob, .worker).refusals == ["run-full"])
        var small = try Bench { $0.limits.rememberedWorkers = 1 }
        small.begin()
        small.join(alice, .worker)
        _ = small.ask(alice, 1)
        #expect(small.join(bob, .worker).refusals == ["run-full"])
    }

    @Test("Keys that came to nothing make room for new ones; a key of which anything is left keeps its place")
    func room() throws {
        var bench = try Bench { $0.limits.rememberedWorkers = 2 }
        bench.begin()
        bench.join(alice, .worker)
        let lease = bench.ask(alice, 1)[0]
        bench.join(bob, .worker)
        _ = bench.ask(bob, 1)
        let carol = Bench.workers[2]
        #expect(bench.join(carol, .worker).refusals == ["run-full"])
        bench.submit(alice, lease.id)
        bench.send(.goodbye(from: bench.connection(alice)))
        bench.send(.goodbye(from: bench.connection(bob)))
        // Of alice a group is left; bob only took a lease and gave it back.
        #expect(bench.join(carol, .worker).isWelcome)
        #expect(bench.run.state.workers.keys.sorted { $0.hex < $1.hex } == [alice])
        #expect(bench.ask(carol, 1).count == 1)
        #expect(bench.join(Bench.workers[3], .worker).refusals == ["run-full"])
        let before = bench.run.state
        try bench.restart()
        #expect(bench.run.state == before)
        // A late group of a forgotten key finds its lease ended.
        bench.join(carol, .worker)
        bench.send(.goodbye(from: bench.connection(carol)))
        #expect(bench.join(bob, .worker).isWelcome)
    }

    @Test("Whoever is connected is not forgotten")
    func present() throws {
        var bench = try Bench { $0.limits.rememberedWorkers = 1 }
        bench.begin()
        bench.join(alice, .worker)
        let lease = bench.ask(alice, 1)[0]
        bench.send(.leasesReturned(from: bench.from(alice), leases: [lease.id]))
        #expect(bench.join(bob, .worker).refusals == ["run-full"])
    }

    @Test("A drain lets what is in flight finish, then stops; verifiers stay until the last verdict")
    func drain() throws {
        var bench = try Bench(groupsPerBatch: 2)
        bench.begin()
        bench.join(alice, .worker)
        bench.join(Bench.verifiers[0], .verifier)
        let leases = bench.ask(alice, 1)
        let told = bench.send(.drain(reason: "operator", milliseconds: 60_000))
        #expect(drained(told) == [bench.connection(alice), bench.connection(Bench.trainer)])
        #expect(bench.ask(alice, 1).isEmpty)
        bench.submit(alice, leases[0].id)
        let given = bench.send(.auditsRequested(from: bench.from(Bench.verifiers[0]), groups: 9)).audits
        let last = bench.report(Bench.verifiers[0], given[0].id, Bench.accepted)
        #expect(drained(last) == [bench.connection(Bench.verifiers[0])] && !last.stops)
        #expect(bench.send(.goodbye(from: bench.connection(Bench.trainer))).stops)
    }

    @Test("A drain ends at its deadline, and what was in flight is there after a restart")
    func lateDrain() throws {
        var bench = try Bench(groupsPerBatch: 2)
        bench.begin()
        bench.join(alice, .worker)
        let leases = bench.ask(alice, 1)
        bench.send(.drain(reason: "operator", milliseconds: 5_000))
        #expect(bench.wait(5_000).stops)
        try bench.restart()
        #expect(bench.join(alice, .worker).leases.map(\.id) == leases.map(\.id))
    }

    private func drained(_ actions: [Action]) -> [ConnectionID] {
        actions.compactMap { if case .sendDrain(let to, _, _) = $0 { to } else { nil } }.sorted {
            (bench: ConnectionID, other: ConnectionID) in bench == other ? false : order(bench) < order(other)
        }
    }

    /// Workers joined after the trainer in these tests, and are named first.
    private func order(_ connection: ConnectionID) -> UInt64 { connection.number == 1 ? .max : connection.number }
}
