import Testing

@testable import Orchestration

@Suite("A simulated swarm")
struct SimulationTests {
    @Test(
        "Random swarms with kills, loss, duplicates, cheats and liars finish, and nothing forbidden happens",
        arguments: 0..<8)
    func randomSwarms(part: UInt64) {
        for seed in (part * 250)..<((part + 1) * 250) {
            let world = World(Scenario.random(seed))
            let failures = world.simulate()
            #expect(failures.isEmpty, "\(failures)")
            if !failures.isEmpty { return }
        }
    }
}
