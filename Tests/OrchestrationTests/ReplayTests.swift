import Identity
import Testing

@testable import Orchestration

@Suite("Replays that find a group good by different numbers")
struct ReplayTests {
    let alice = Bench.workers[0]
    let verifiers = Array(Bench.verifiers[0..<3])

    /// A bench whose first verifier has accepted so many groups, with the others connected.
    private func bench(_ groups: Int) throws -> (Bench, [Hash256]) {
        var bench = try Bench(groupsPerBatch: groups) { $0.auditing.repeatRate = 0 }
        bench.begin()
        bench.produce(groups)
        for verifier in verifiers.dropFirst() { bench.join(verifier, .verifier) }
        return (bench, bench.run.state.acceptedGroups)
    }

    @Test("One against one, a third verifier is asked; two against one, the odd one is blamed, and thrice is out")
    func third() throws {
        var (bench, groups) = try bench(3)
        for group in groups {
            let differ = bench.send(
                .replaysCompared(group: group, by: verifiers[1], equal: [], unequal: [verifiers[0]]))
            #expect(differ.facts.contains(.checkOpened(group: group, purpose: .repeated)))
            #expect(!differ.facts.contains { if case .replayRefuted = $0 { true } else { false } })
            let decided = Event.replaysCompared(
                group: group, by: verifiers[2], equal: [verifiers[0]], unequal: [verifiers[1]])
            #expect(bench.send(decided).facts.contains(.replayRefuted(group: group, verifier: verifiers[1])))
            // Said twice, it counts once.
            #expect(!bench.send(decided).facts.contains { if case .replayRefuted = $0 { true } else { false } })
        }
        #expect(
            bench.run.state.verifiers[verifiers[1]]?.ban != nil && bench.run.state.verifiers[verifiers[0]]?.ban == nil)
        #expect(bench.run.state.workers[alice]?.strikes == 0)
    }

    @Test("With two verifiers a difference is told and nobody is blamed")
    func two() throws {
        var bench = try Bench(groupsPerBatch: 1) { $0.auditing.repeatRate = 0 }
        bench.begin()
        bench.produce(1)
        bench.join(verifiers[1], .verifier)
        let group = try #require(bench.run.state.acceptedGroups.first)
        let actions = bench.send(.replaysCompared(group: group, by: verifiers[1], equal: [], unequal: [verifiers[0]]))
        #expect(actions.facts.isEmpty)
        #expect(actions.contains { if case .report(.replaysDiffer) = $0 { true } else { false } })
    }

    @Test("Where the trainer doubts a group under tolerances too, the verifier whose numbers the batch had is blamed")
    func trainerDecides() throws {
        var bench = try Bench(groupsPerBatch: 1) { $0.auditing.repeatRate = 0 }
        bench.begin()
        bench.join(alice, .worker, engine: "other")
        bench.join(verifiers[0], .verifier)
        for lease in bench.ask(alice, 1) {
            let submission = Submission(lease: lease.id, group: Bench.group(lease.id), tokens: 5, engine: "other")
            bench.send(.groupSubmitted(submission, from: bench.from(alice)))
        }
        bench.audit()
        bench.join(verifiers[1], .verifier)
        bench.requestBatch(1)
        let group = try #require(bench.run.state.batches[1]?.first)
        bench.send(.groupsDoubted(from: bench.from(Bench.trainer), groups: [group]))
        let actions = bench.send(.replaysCompared(group: group, by: verifiers[1], equal: [], unequal: [verifiers[0]]))
        #expect(actions.facts.contains(.replayRefuted(group: group, verifier: verifiers[0])))
        #expect(bench.run.state.verifiers[verifiers[1]]?.refuted ?? 0 == 0)
        #expect(bench.run.state.workers[alice]?.strikes == 0)
    }
}
