import Identity
import Testing

@testable import Orchestration

@Suite("One verifier against one")
struct ContestTests {
    let alice = Bench.workers[0]
    let accuser = Bench.verifiers[0]
    let other = Bench.verifiers[1]

    private func bench() throws -> Bench {
        var bench = try Bench(groupsPerBatch: 1, pace: 8)
        bench.begin()
        bench.join(alice, .worker)
        for verifier in [accuser, other] { bench.join(verifier, .verifier) }
        return bench
    }

    private func request(_ bench: inout Bench, _ verifier: PublicKey) -> [Audit] {
        bench.send(.auditsRequested(from: bench.from(verifier), groups: 4)).audits
    }

    /// A group that one verifier found wrong and the other one good.
    private func contested(_ bench: inout Bench, _ check: String) throws -> Hash256 {
        let refuted = bench.run.state.verifiers[accuser]?.refuted ?? 0
        let lease = try #require(bench.ask(alice, 1).first)
        bench.send(
            .groupSubmitted(
                Submission(
                    lease: lease.id, group: Bench.group(lease.id), tokens: 5, work: 1_000,
                    content: SHA256.hash([UInt8(lease.slot)])), from: bench.from(alice)))
        let finding = Finding(check: check, reason: "Position 3 differs.", severity: .soft)
        bench.report(accuser, try #require(request(&bench, accuser).first).id, .rejected(finding, auditFLOPs: 100))
        bench.report(other, try #require(request(&bench, other).first).id, Bench.accepted)
        let group = Bench.group(lease.id)
        #expect(bench.run.state.verifiers[accuser]?.refuted == refuted)
        #expect(bench.run.state.contestedGroups == [group] && bench.run.state.acceptedGroups.contains(group))
        return group
    }

    private func train(_ bench: inout Bench, doubting doubted: [Hash256] = []) {
        let step = bench.run.state.cutStep + 1
        bench.requestBatch(step)
        if !doubted.isEmpty {
            bench.send(.groupsDoubted(from: bench.from(Bench.trainer), groups: doubted))
        }
        // A message of several parts says that the step is done in each.
        bench.send(.batchDone(from: bench.from(Bench.trainer), step: step))
        bench.publish((bench.run.state.newest?.number ?? 0) + 1, step: step)
    }

    @Test(
        "The trainer refutes what it compares itself, and nobody is blamed for the rest",
        arguments: [
            ("sampling", true), ("log-probability", true), ("commitment", false), ("toploc", false),
        ])
    func agreed(check: String, isRefuted: Bool) throws {
        var bench = try bench()
        for accusation in 1...3 {
            _ = try contested(&bench, check)
            train(&bench)
            #expect(bench.run.state.contestedGroups.count == 1)
            bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: bench.run.state.cutStep))
            #expect(bench.run.state.contestedGroups.isEmpty)
            #expect(bench.run.state.verifiers[accuser]?.refuted == (isRefuted ? accusation : 0))
        }
        #expect((bench.run.state.verifiers[accuser]?.ban != nil) == isRefuted)
        #expect(bench.run.state.verifiers[other]?.ban == nil && bench.run.state.workers[alice]?.earned == 3_000)
    }

    @Test("What the trainer computes differently is taken back, and who covered it loses its place")
    func doubted() throws {
        var bench = try bench()
        let group = try contested(&bench, "commitment")
        train(&bench, doubting: [group])
        #expect(bench.run.state.contestedGroups.isEmpty && bench.run.state.workers[alice]?.strikes == 1)
        #expect(bench.run.state.workers[alice]?.earned == 0)
        #expect(bench.run.state.verifiers[other]?.ban?.check == "false-acceptance")
        #expect(bench.run.state.verifiers[accuser]?.earned == 100)
    }

    @Test("The next request for a batch says as much as a checkpoint that the trainer is done with the one before")
    func request() throws {
        var bench = try bench()
        _ = try contested(&bench, "sampling")
        train(&bench)
        #expect(bench.run.state.verifiers[accuser]?.refuted == 0)
        bench.requestBatch(2)
        #expect(bench.run.state.verifiers[accuser]?.refuted == 1)
    }

    @Test("What the trainer cannot compute blames nobody")
    func undecided() throws {
        var bench = try bench()
        let group = try contested(&bench, "sampling")
        bench.requestBatch(1)
        bench.send(.groupsUnavailable(from: bench.from(Bench.trainer), groups: [(group, "no weights")]))
        #expect(bench.run.state.contestedGroups.isEmpty && bench.run.state.verifiers[accuser]?.refuted == 0)
        #expect(bench.run.state.workers[alice]?.strikes == 0 && bench.run.state.checkQueue.isEmpty)
    }

    @Test("A check of a contested group ends the contest, and the trainer's word about it afterwards is taken in")
    func checked() throws {
        var bench = try bench()
        let group = try contested(&bench, "sampling")
        // The other verifier is found to lie elsewhere: what counts on its word alone is replayed again, by nobody.
        bench.run.openCheck(of: group, .repeated)
        #expect(bench.run.state.contestedGroups.isEmpty)
        bench.run.closeCheck(of: group)
        bench.requestBatch(1)
        bench.send(.groupsUnavailable(from: bench.from(Bench.trainer), groups: [(group, "no weights")]))
        train(&bench)
        #expect(bench.run.state.workers[alice]?.strikes == 0)
    }

    @Test("A contested acceptance vouches for nothing, and keeps nothing from counting")
    func vouching() throws {
        var bench = try Bench.adaptive()
        bench.trust(alice)
        bench.join(other, .verifier)
        let waiting = bench.hand(alice, 4)
        bench.run.pick(waiting[1])
        let accusation = try #require(bench.audits(accuser).first { $0.group == waiting[1] })
        bench.report(accuser, accusation.id, Bench.rejected())
        let opinion = try #require(bench.audits(other).first { $0.group == waiting[1] })
        bench.report(other, opinion.id, Bench.good)
        #expect(bench.run.state.contestedGroups == [waiting[1]])
        #expect(bench.run.state.provisionalGroups == [waiting[0], waiting[2], waiting[3]])
        bench.run.pick(waiting[3])
        let audit = try #require((bench.audits(accuser) + bench.audits(other)).first { $0.group == waiting[3] })
        bench.report(bench.run.state.audits[audit.id]?.verifier ?? other, audit.id, Bench.good)
        #expect(bench.run.state.provisionalGroups.isEmpty)
    }
}
