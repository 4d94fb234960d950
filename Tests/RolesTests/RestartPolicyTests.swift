import Testing

@testable import Roles

@Suite("When a process starts again")
struct RestartPolicyTests {
    @Test("the first death is mended at once, later ones ever more slowly, and at last not at all")
    func givesUpOnALoop() {
        var policy = RestartPolicy()
        let delays = (0..<RestartPolicy.tolerated).map { _ in policy.delay(afterLifeOf: 0.1) }
        #expect(delays.first == 0)
        #expect(delays.compactMap(\.self).sorted() == delays.compactMap(\.self))
        #expect(!delays.contains(nil))
        #expect(policy.delay(afterLifeOf: 0.1) == nil)
    }

    @Test("a process that lived has a clean record")
    func forgives() {
        var policy = RestartPolicy()
        for _ in 0..<RestartPolicy.tolerated { _ = policy.delay(afterLifeOf: 0.1) }
        #expect(policy.delay(afterLifeOf: RestartPolicy.healthySeconds) == 0)
    }
}
