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

    @Test("The same seed gives the same journal")
    func determinism() {
        for seed in 5_000..<5_020 as Range<UInt64> {
            let first = World(Scenario.random(seed))
            let second = World(Scenario.random(seed))
            _ = (first.simulate(), second.simulate())
            #expect(first.journal == second.journal && !first.journal.isEmpty)
        }
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
