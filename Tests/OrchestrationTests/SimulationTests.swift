import Identity
import Testing

@testable import Orchestration

@Suite("A simulated swarm")
struct SimulationTests {
    @Test(
        "Random swarms with kills, loss, duplicates, cheats and liars finish, and nothing forbidden happens",
        arguments: 0..<8)
    func randomSwarms(part: UInt64) {
        for seed in (part * 250)..<((part + 1) * 250) {
            let failures = World(Scenario.random(seed)).simulate()
            #expect(failures.isEmpty)
            if !failures.isEmpty { return }
        }
    }

    @Test(
        "Swarms in which trusted workers' groups are not all audited, with patient cheats and colluding verifiers",
        arguments: 0..<8)
    func adaptiveSwarms(part: UInt64) {
        for seed in (part * 250)..<((part + 1) * 250) {
            let failures = World(Scenario.adaptive(seed)).simulate()
            #expect(failures.isEmpty)
            if !failures.isEmpty { return }
        }
    }

    @Test("Honest workers of an adaptive run are audited rarely, and every batch is full in time")
    func adaptiveShape() {
        var scenario = Scenario(seed: 7)
        scenario.steps = 30
        scenario.groupsPerBatch = 64
        scenario.checkpointInterval = 5
        scenario.workers = [.honest, .honest, .honest]
        scenario.auditing.mode = .adaptive
        scenario.invitedStake = 1_000_000
        let world = World(scenario)
        #expect(world.simulate().isEmpty)
        guard let state = world.run?.state else { return }
        let replays = state.verifiers.values.reduce(0) { $0 + $1.audited }
        #expect(state.counters.accepted >= 30 * 64 - state.counters.provisionalInBatches)
        #expect(Double(replays) < 0.15 * Double(state.counters.received), "\(replays) of \(state.counters.received)")
        #expect(state.counters.discarded == 0)
        // Those beside the drawn ones, but for groups that the scorer failed on.
        let picked = world.journal.count { if case .groupPicked(_, nil) = $0 { true } else { false } }
        #expect(picked < 45, "\(picked) picked for 30 batches")
    }

    @Test("The same seed gives the same journal")
    func determinism() {
        for seed in 5_000..<5_020 as Range<UInt64> {
            let first = World(Scenario.random(seed))
            let second = World(Scenario.random(seed))
            _ = (first.simulate(), second.simulate())
            #expect(first.journal == second.journal && !first.journal.isEmpty)
            let third = World(Scenario.adaptive(seed))
            let fourth = World(Scenario.adaptive(seed))
            _ = (third.simulate(), fourth.simulate())
            #expect(third.journal == fourth.journal && !third.journal.isEmpty)
        }
    }

    @Test("An orchestrator that was killed goes on from a snapshot now and then")
    func snapshots() {
        var (used, crashed) = (0, 0)
        for scenario in (0..<100).map(Scenario.adaptive) where scenario.kills > 0 {
            let world = World(scenario)
            #expect(world.simulate().isEmpty)
            used += world.snapshotsUsed
            crashed += scenario.kills
        }
        #expect(used > crashed / 10, "\(used) of \(crashed)")
    }

    @Test("A larger swarm at the demo's batch size wastes next to nothing")
    func demoShape() {
        var scenario = Scenario(seed: 42)
        scenario.steps = 20
        scenario.groupsPerBatch = 64
        scenario.checkpointInterval = 5
        let world = World(scenario)
        #expect(world.simulate().isEmpty)
        guard let state = world.run?.state else { return }
        #expect(state.counters.accepted == 20 * 64 + state.counters.discarded)
        #expect(state.counters.discarded == 0)
        #expect(state.counters.maximumStaleness <= 1)
        #expect(state.workers[scenario.workerKey(2)]?.audited == 3)
        let shares = [0, 1].map { Double(state.workers[scenario.workerKey($0)]?.accepted ?? 0) / (20 * 64) }
        #expect(shares.allSatisfy { $0 > 0.15 })
    }
}
