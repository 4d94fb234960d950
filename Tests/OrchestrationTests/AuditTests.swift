import Identity
import Testing

@testable import Orchestration

@Suite("Audits")
struct AuditTests {
    let alice = Bench.workers[0]
    let first = Bench.verifiers[0]
    let second = Bench.verifiers[1]

    /// A bench where alice has handed in so many groups.
    private func bench(_ count: Int, verifiers: [PublicKey]) throws -> Bench {
        var bench = try Bench(groupsPerBatch: count)
        bench.begin()
        for verifier in verifiers { bench.join(verifier, .verifier) }
        bench.join(alice, .worker)
        for lease in bench.ask(alice, count) { bench.submit(alice, lease.id) }
        return bench
    }

    private func request(_ bench: inout Bench, _ verifier: PublicKey, _ groups: Int = 100) -> [Audit] {
        bench.send(.auditsRequested(from: bench.from(verifier), groups: groups)).audits
    }

    @Test("An accepted group is credited once, its verifier too")
    func credit() throws {
        var bench = try bench(1, verifiers: [first])
        let audit = request(&bench, first)[0]
        let actions = bench.report(first, audit.id, Bench.accepted)
        #expect(
            actions.settlements == [
                .earned(worker: alice, group: audit.group, amount: 1_000, withheld: 100),
                .audited(verifier: first, audit: audit.id, amount: 100),
            ])
        let again = bench.report(first, audit.id, Bench.accepted)
        #expect(again.facts.isEmpty && again.settlements.isEmpty)
    }

    @Test("A returned audit waits for its rewards, whatever becomes of its verifier")
    func returned() throws {
        var bench = try bench(2, verifiers: [first])
        let given = request(&bench, first)
        let spoken = bench.from(first)
        #expect(bench.send(.auditReturned(from: spoken, audit: given[0].id)).facts.isEmpty)
        // Who has returned a replay cannot take it back.
        bench.send(.auditsFaulted(from: spoken, audits: [given[0].id], reason: "changed my mind"))
        #expect(bench.run.state.counters.auditsLost == 0 && bench.run.state.audits[given[0].id] != nil)
        // The other one is lost with the verifier, this one is not; nor is it sent again.
        bench.send(.goodbye(from: spoken.connection))
        #expect(bench.run.state.audits.keys.sorted() == [given[0].id])
        bench.wait(bench.run.configuration.timing.audit * 3)
        #expect(bench.run.state.audits.keys.sorted() == [given[0].id])
        let actions = bench.send(.auditJudged(audit: given[0].id, verdict: Bench.accepted, answering: spoken))
        #expect(actions.settlements.contains(.audited(verifier: first, audit: given[0].id, amount: 100)))
        #expect(bench.run.state.acceptedGroups.count == 1)
        // A second judgement changes nothing.
        #expect(bench.send(.auditJudged(audit: given[0].id, verdict: Bench.accepted, answering: spoken)).facts.isEmpty)
    }

    @Test("A group that the lab could not score is audited again, nobody blamed")
    func unscored() throws {
        var bench = try bench(1, verifiers: [first, second])
        let audit = request(&bench, first)[0]
        bench.send(.auditReturned(from: bench.from(first), audit: audit.id))
        let verdict = AuditVerdict.inconclusive(reason: "the grader is down")
        bench.send(.auditJudged(audit: audit.id, verdict: verdict, answering: bench.from(first)))
        #expect(bench.run.state.auditQueue.count == 1)
        #expect(bench.run.state.workers[alice]?.rejected == 0)
        #expect(bench.run.state.counters.auditsLost == 1)
    }

    @Test("A cheat loses its place at its third rejection, before a fourth group is audited")
    func threeStrikes() throws {
        var bench = try bench(10, verifiers: [first])
        let given = request(&bench, first)
        #expect(given.count == 3)
        #expect(request(&bench, first).isEmpty)
        for audit in given.dropLast() { bench.report(first, audit.id, Bench.rejected()) }
        #expect(bench.run.state.audits.count == 1)
        let actions = bench.report(first, given[2].id, Bench.rejected())
        #expect(actions.settlements.contains(.slashed(worker: alice)))
        #expect(actions.refusals == ["banned"])
        #expect(bench.run.state.workers[alice]?.audited == 3)
        #expect(bench.run.state.auditQueue.isEmpty && bench.run.state.waitingSlots.count == 10)
        #expect(bench.run.state.counters.withdrawn == 7)
    }

    @Test("An accepted group ends the probation; a rejected one brings it back")
    func probation() throws {
        var bench = try bench(12, verifiers: [first])
        let given = request(&bench, first)
        bench.report(first, given[0].id, Bench.accepted)
        #expect(request(&bench, first).count == 9)
        bench.report(first, given[1].id, Bench.rejected())
        #expect(bench.run.state.workers[alice]?.isOnProbation(isForeign: false) == true)
    }

    @Test("Severity slash costs the stake and the place at once")
    func slash() throws {
        var bench = try bench(5, verifiers: [first])
        let given = request(&bench, first)
        bench.report(first, given[0].id, Bench.accepted)
        let actions = bench.report(first, given[1].id, Bench.rejected(.slash))
        guard
            case .workerBanned(_, _, let burned) = actions.facts.first(where: {
                if case .workerBanned = $0 { true } else { false }
            })
        else {
            Issue.record("not banned")
            return
        }
        #expect(burned == 100)
        #expect(bench.run.state.acceptedGroups.count == 1)
    }

    @Test("A verifier's fault blames nobody; after some tries the slot is leased again")
    func faults() throws {
        var bench = try bench(1, verifiers: [first])
        for attempt in 1...5 {
            let audit = request(&bench, first)[0]
            #expect(audit.id == UInt64(attempt))
            switch attempt {
            case 1: bench.report(first, audit.id, .inconclusive(reason: "no weights"))
            case 2: bench.send(.auditsFaulted(from: bench.from(first), audits: [audit.id], reason: "no memory"))
            case 3: bench.send(.goodbye(from: bench.connection(first)))
            case 4:
                bench.now += 61_000
                bench.send(.tick)
            default:
                bench.report(
                    first, audit.id, .rejected(Finding(check: "own", reason: "", severity: .refuse), auditFLOPs: 1))
            }
            if bench.run.connection(of: first) == nil { bench.join(first, .verifier) }
        }
        #expect(bench.run.state.groups.isEmpty && bench.run.state.waitingSlots == [0])
        #expect(bench.run.state.workers[alice]?.strikes == 0)
        #expect(bench.run.state.counters.auditsLost == 5)
    }

    @Test("A group that comes to no verdict is given up in the end, though somebody has not tried")
    func hopeless() throws {
        var bench = try bench(1, verifiers: Bench.verifiers)
        var rounds = 0
        while !bench.run.state.groups.isEmpty, rounds < 80 {
            rounds += 1
            bench.now += 10_000
            for key in Bench.verifiers + [alice] { bench.send(.heartbeat(from: bench.connection(key))) }
            // The last one is there and asks for nothing.
            let verifier = Bench.verifiers[rounds % (Bench.verifiers.count - 1)]
            for audit in request(&bench, verifier) {
                bench.send(.auditsFaulted(from: bench.from(verifier), audits: [audit.id], reason: "no weights"))
            }
        }
        #expect(bench.run.state.groups.isEmpty && bench.run.state.counters.auditsLost == 13)
        #expect(bench.run.state.workers[alice]?.strikes == 0)
    }

    @Test("A verifier that gives a group back does not get it again while one is there that has not tried")
    func handedBack() throws {
        var bench = try bench(1, verifiers: [first, second])
        for round in 0..<20 {
            let audits = request(&bench, first)
            #expect(audits.count == (round == 0 ? 1 : 0))
            for audit in audits {
                bench.send(.auditsFaulted(from: bench.from(first), audits: [audit.id], reason: "not this one"))
            }
        }
        let audit = try #require(request(&bench, second).first)
        bench.report(second, audit.id, Bench.rejected())
        #expect(bench.run.state.groups[audit.group]?.dispute?.accuser == second)
    }

    @Test("A verifier that is there but takes nothing keeps no accusation open")
    func idleSecondVerifier() throws {
        var bench = try bench(1, verifiers: [first, second])
        bench.report(first, request(&bench, first)[0].id, Bench.rejected())
        for _ in 0..<29 {
            bench.now += 10_000
            for key in [alice, first, second, Bench.trainer] { bench.send(.heartbeat(from: bench.connection(key))) }
        }
        #expect(bench.run.state.workers[alice]?.strikes == 0)
        bench.now += 10_000
        for key in [alice, first, second, Bench.trainer] { bench.send(.heartbeat(from: bench.connection(key))) }
        #expect(bench.run.state.workers[alice]?.strikes == 1)
        #expect(bench.run.state.verifiers[first]?.earned == 100)
    }

    @Test("Who is to give the second opinion cannot take the first one back by faults")
    func faultingSecondVerifier() throws {
        var bench = try bench(1, verifiers: [first, second])
        bench.report(first, request(&bench, first)[0].id, Bench.rejected())
        for _ in 0..<5 {
            #expect(bench.run.state.workers[alice]?.strikes == 0)
            let audit = request(&bench, second)[0]
            bench.send(.auditsFaulted(from: bench.from(second), audits: [audit.id], reason: "no weights"))
        }
        #expect(bench.run.state.workers[alice]?.strikes == 1)
        #expect(bench.run.state.verifiers[first]?.earned == 100)
    }

    @Test("A verifier that comes back gets its audits again")
    func reconnection() throws {
        var bench = try bench(2, verifiers: [first])
        let given = request(&bench, first)
        let again = bench.join(first, .verifier).audits
        #expect(again == given)
        try bench.restart()
        #expect(bench.join(first, .verifier).audits == given)
        #expect(!bench.report(first, given[0].id, Bench.accepted).settlements.isEmpty)
    }

    @Test("Nobody audits itself, or reports another's audit")
    func strangers() throws {
        var bench = try bench(1, verifiers: [first, second])
        let audit = request(&bench, first)[0]
        #expect(bench.report(second, audit.id, Bench.accepted).refusals == ["not-your-audit"])
        #expect(bench.report(second, 99, Bench.accepted).refusals.isEmpty)
        bench.send(.goodbye(from: bench.connection(first)))
        bench.send(.goodbye(from: bench.connection(second)))
        bench.send(.goodbye(from: bench.connection(alice)))
        bench.join(alice, .verifier)
        #expect(request(&bench, alice).isEmpty)
    }

    @Test("A rejection counts when a second verifier agrees, and both are paid")
    func confirmedRejection() throws {
        var bench = try bench(1, verifiers: [first, second])
        let one = request(&bench, first)[0]
        let accusation = bench.report(first, one.id, Bench.rejected())
        #expect(accusation.settlements.isEmpty)
        #expect(request(&bench, first).isEmpty)
        let two = request(&bench, second)[0]
        let actions = bench.report(second, two.id, Bench.rejected())
        #expect(Set(actions.settlements.map(\.reference)) == ["audited/1", "audited/2", "charged/\(one.group.hex)"])
        #expect(bench.run.state.workers[alice]?.strikes == 1)
        #expect(bench.run.state.verifiers[first]?.earned == 100)
    }

    @Test("A second opinion of a lighter kind costs no stake, whichever comes first")
    func lighterFinding() throws {
        for severities in [[Severity.soft, .slash], [.slash, .soft]] {
            var bench = try bench(1, verifiers: [first, second])
            bench.report(first, request(&bench, first)[0].id, Bench.rejected(severities[0]))
            bench.report(second, request(&bench, second)[0].id, Bench.rejected(severities[1]))
            #expect(bench.run.state.workers[alice]?.strikes == 1 && bench.run.state.workers[alice]?.ban == nil)
        }
    }

    @Test("An accusation that a third verifier refutes clears the worker; three cost the verifier its place")
    func refutedAccusation() throws {
        let third = Bench.verifiers[2]
        var bench = try bench(3, verifiers: [first, second, third])
        for audit in request(&bench, first) { bench.report(first, audit.id, Bench.rejected()) }
        for audit in request(&bench, second) { bench.report(second, audit.id, Bench.accepted) }
        #expect(bench.run.state.acceptedGroups.count == 3)
        var last: [Action] = []
        for audit in request(&bench, third) { last = bench.report(third, audit.id, Bench.accepted) }
        #expect(bench.run.state.workers[alice]?.strikes == 0)
        #expect(last.refusals == ["banned"])
        #expect(bench.join(first, .verifier).refusals == ["banned"])
    }

    @Test("An accusation stands when no second verifier comes back")
    func lonelyAccuser() throws {
        var bench = try bench(1, verifiers: [first, second])
        _ = request(&bench, second, 1)
        bench.send(.goodbye(from: bench.connection(second)))
        let audit = request(&bench, first)[0]
        bench.report(first, audit.id, Bench.rejected())
        #expect(bench.run.state.workers[alice]?.strikes == 0)
        bench.now += 9_000
        for key in [alice, first, Bench.trainer] { bench.send(.heartbeat(from: bench.connection(key))) }
        #expect(bench.run.state.workers[alice]?.strikes == 0)
        bench.wait(2_000)
        #expect(bench.run.state.workers[alice]?.strikes == 1)
    }
}
