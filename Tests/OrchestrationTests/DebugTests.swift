import Testing
@testable import Orchestration
@Test func debugSeed() {
    let world = World(Scenario.random(843))
    _ = world.simulate()
    print("DBG", world.dump())
}
