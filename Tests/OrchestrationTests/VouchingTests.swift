import Identity
import Testing

@testable import Orchestration

@Suite("What a passed audit says about other groups")
struct VouchingTests {
    let alice = Bench.workers[0]
    let bob = Bench.workers[1]
    let first = Bench.verifiers[0]

    @Test("An audit that its worker could foresee vouches for nothing, its own group counts", arguments: [0, 1, 2])
    func foreseen(kind: Int) throws {
        var bench = try Bench.adaptive()
        bench.trust(alice)
        let waiting = bench.hand(alice, 3)
        #expect(bench.run.state.provisionalGroups == waiting)
        let certain =
            switch kind {
            // Of work that is not known, of more work than its streak covers, and what the lab's scorer fails on.
            case 0: bench.hand(alice, 1, work: 0)
            case 1: bench.hand(alice, 1, work: 1_000_000)
            default: bench.hand(alice, 1, isScored: false)
            }
        #expect(bench.run.state.workers[alice]?.pendingGroups == certain)
        bench.audit(Bench.good)
        #expect(bench.run.state.acceptedGroups.last == certain.first)
        #expect(bench.run.state.provisionalGroups == waiting)
        #expect(bench.run.state.workers[alice]?.unvestedCredit == 3_000)
    }

    @Test("Nothing counts while an earlier group of the same key is in audit", arguments: [true, false])
    func undecided(isGood: Bool) throws {
        var bench = try Bench.adaptive()
        bench.trust(alice)
        let waiting = bench.hand(alice, 4)
        let vested = bench.run.state.counters.vested
        bench.run.pick(waiting[1])
        bench.run.pick(waiting[3])
        let audits = bench.audits(first)
        let earlier = try #require(audits.first { $0.group == waiting[1] })
        let later = try #require(audits.first { $0.group == waiting[3] })
        bench.report(first, later.id, Bench.good)
        #expect(bench.run.state.provisionalGroups == [waiting[0], waiting[2]])
        #expect(bench.run.state.counters.vested == vested)
        bench.report(first, earlier.id, isGood ? Bench.good : Bench.rejected())
        #expect(bench.run.state.workers[alice]?.unvested.isEmpty == true)
        // The later audit covers both of the others; with the earlier group wrong, they are gone.
        #expect(bench.run.state.counters.vested == vested + (isGood ? 2 : 0))
        #expect(bench.run.state.groups[waiting[0]]?.phase == (isGood ? .accepted : nil))
    }

    @Test(
        "Nothing counts while an accusation is undecided, a third verifier's word included", arguments: [true, false])
    func accused(isGood: Bool) throws {
        let (second, third) = (Bench.verifiers[1], Bench.verifiers[2])
        var bench = try Bench.adaptive()
        bench.trust(alice)
        for verifier in [second, third] { bench.join(verifier, .verifier) }
        let waiting = bench.hand(alice, 3)
        bench.run.pick(waiting[1])
        let accusation = try #require(bench.audits(first).first { $0.group == waiting[1] })
        bench.report(first, accusation.id, Bench.rejected())
        let opinion = try #require(bench.audits(second).first { $0.group == waiting[1] })
        bench.report(second, opinion.id, Bench.good)
        #expect(bench.run.state.groups[waiting[1]]?.phase == .accepted)
        #expect(bench.run.state.provisionalGroups == [waiting[0], waiting[2]])
        let decision = try #require(bench.audits(third).first { $0.group == waiting[1] })
        bench.report(third, decision.id, isGood ? Bench.good : Bench.rejected())
        #expect(bench.run.state.provisionalGroups.isEmpty)
        #expect(bench.run.state.groups[waiting[0]]?.phase == (isGood ? .accepted : nil))
    }

    @Test(
        "A drawn group is audited although its worker has itself banned, and fined where it is wrong",
        arguments: [true, false])
    func escape(isGood: Bool) throws {
        var bench = try Bench.adaptive()
        bench.trust(alice)
        let waiting = bench.hand(alice, 2)
        bench.run.pick(waiting[0])
        let record = try #require(bench.run.state.groups[waiting[0]])
        let balance = try #require(bench.run.state.workers[alice]?.balance)
        bench.submit(alice, record.lease, salt: 9)
        #expect(bench.run.state.workers[alice]?.ban?.check == "equivocation")
        #expect(bench.run.state.workers[alice]?.pendingGroups == [waiting[0]])
        let audit = try #require(bench.audits(first).first { $0.group == waiting[0] })
        let settlements = bench.report(first, audit.id, isGood ? Bench.good : Bench.rejected()).settlements
        let worth = Run.worthUnaudited(record.work, record.draw)
        #expect(worth > 10_000)
        // What the audit cost is charged first.
        let fine = Settlement.fined(worker: alice, group: waiting[0], amount: min(worth, balance - 100))
        #expect(settlements.contains(fine) == !isGood)
        #expect(bench.run.state.workers[alice]?.pendingGroups.isEmpty == true)
    }

    @Test("An audit drawn with probability p vouches for twice (1 − p)/p of its work, oldest first")
    func reach() throws {
        var bench = try Bench.adaptive { $0.auditing.floor = 250_000 }
        bench.trust(alice)
        var waiting: [Hash256] = []
        while waiting.count < 9 {
            let group = try #require(bench.hand(alice, 1).first)
            // Only what is spared is of use here; what is drawn waits for its audit.
            if bench.run.state.groups[group]?.phase == .provisional { waiting.append(group) }
        }
        bench.send(.goodbye(from: bench.connection(first)))
        bench.run.pick(waiting[8])
        let record = try #require(bench.run.state.groups[waiting[8]])
        #expect(record.draw?.probability == 250_000 && bench.run.reach(of: record) == 6_000)
        let worker = try #require(bench.run.state.workers[alice])
        let covered = bench.run.coverage(of: worker, reach: 6_000, through: .max).map(\.group)
        #expect(covered == Array(waiting.prefix(6)))
    }

    @Test("Unaudited tokens count for what an untrusted key may have open, whether an audit or a batch is to come")
    func openTokens() throws {
        var bench = try Bench.adaptive { $0.auditing.leaseTokens = 5 }
        bench.trust(alice)
        let waiting = bench.hand(alice, 3)
        #expect(bench.run.state.provisionalGroups == waiting)
        // A run of larger groups ends the trust of a key that has verified small ones.
        bench.trust(bob)
        for _ in 0..<5 {
            bench.hand(bob, 1, work: 1_000_000_000)
            bench.audit(.accepted(.init(rewards: [1, 0], verifiedFLOPs: 1_000_000_000, auditFLOPs: 1)))
        }
        let worker = try #require(bench.run.state.workers[alice])
        #expect(bench.run.auditProbability(of: worker, engine: "") == AuditDraw.certain)
        #expect(bench.ask(alice, 5).isEmpty)
    }

    @Test("A key with as much promised credit as it may have is audited for certain, and one waiting group is picked")
    func fullAccount() throws {
        var bench = try Bench.adaptive { $0.auditing.unvestedGroups = 4 }
        bench.trust(alice)
        let waiting = bench.hand(alice, 4)
        #expect(bench.run.state.provisionalGroups == waiting)
        let certain = bench.hand(alice, 1)
        let queued = Set(bench.run.state.workers[alice]?.pendingGroups ?? [])
        #expect(queued.count == 2 && queued.isSuperset(of: certain))
        bench.audit(Bench.good)
        #expect(bench.run.state.workers[alice]?.unvested.isEmpty == true)
    }

    @Test("Small groups that a key chose do not lower the measure of its trust")
    func measure() throws {
        var bench = try Bench.adaptive { $0.auditing.trustedAfter = 10 }
        bench.trust(bob)
        // Ten groups in a row, but a tenth of the work of the run's groups.
        if bench.run.connection(of: first) == nil { bench.join(first, .verifier) }
        for _ in 0..<10 {
            bench.hand(alice, 1, isScored: false, work: 100)
            bench.audit(.accepted(.init(rewards: [1, 0], verifiedFLOPs: 100, auditFLOPs: 10)))
        }
        let group = try #require(bench.hand(alice, 1, work: 100).first)
        #expect(bench.run.state.groups[group]?.draw == nil)
    }

    @Test("What groups in audit would cost is not at risk a second time")
    func boundStake() throws {
        var bench = try Bench.adaptive { $0.auditing.floor = 50_000 }
        bench.trust(alice)
        let worker = try #require(bench.run.state.workers[alice])
        let free = bench.run.auditProbability(work: 1_000, of: worker)
        #expect(free < 60_000)
        bench.run.pick(try #require(bench.hand(alice, 1).first))
        let bound = try #require(bench.run.state.workers[alice])
        #expect(bench.run.auditProbability(work: 1_000, of: bound) >= 2 * free)
    }

    @Test("An unaudited group that gets too old for a batch is audited, not paid unseen")
    func tooOld() throws {
        var bench = try Bench.adaptive(groupsPerBatch: 8) { $0.maximumStaleness = 0 }
        bench.trust(alice)
        let late = bench.hand(alice, 1)
        #expect(bench.run.state.provisionalGroups == late)
        while bench.run.state.acceptedGroups.count >= 8 { bench.requestBatch(bench.run.state.cutStep + 1) }
        bench.requestBatch(bench.run.state.cutStep + 1)
        #expect(bench.run.state.workers[alice]?.pendingGroups.contains(late[0]) == true)
        let before = try #require(bench.run.state.workers[alice]?.accepted)
        bench.audit(Bench.good)
        #expect(bench.run.state.workers[alice]?.unvested.isEmpty == true)
        #expect((bench.run.state.workers[alice]?.accepted ?? 0) > before)
    }
}
