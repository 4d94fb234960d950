import Identity
import Testing

@testable import Orchestration

@Suite("Who watches the verifiers")
struct CheckTests {
    let alice = Bench.workers[0]
    let bob = Bench.workers[1]
    let first = Bench.verifiers[0]
    let second = Bench.verifiers[1]
    let third = Bench.verifiers[2]

    private func bench(
        groupsPerBatch: Int = 8, verifiers: [PublicKey], _ adjust: (inout Run.Configuration) -> Void = { _ in }
    ) throws -> Bench {
        var bench = try Bench(groupsPerBatch: groupsPerBatch, adjust)
        bench.begin()
        for verifier in verifiers { bench.join(verifier, .verifier) }
        return bench
    }

    private func request(_ bench: inout Bench, _ verifier: PublicKey, _ groups: Int = 100) -> [Audit] {
        bench.send(.auditsRequested(from: bench.from(verifier), groups: groups)).audits
    }

    @discardableResult
    private func hand(_ bench: inout Bench, _ worker: PublicKey, _ count: Int = 1) -> [Lease] {
        if bench.run.connection(of: worker) == nil { bench.join(worker, .worker) }
        let leases = bench.ask(worker, count)
        for lease in leases {
            let submission = Submission(
                lease: lease.id, group: Bench.group(lease.id), tokens: 5, work: 1_000,
                content: SHA256.hash([UInt8(lease.slot)]))
            bench.send(.groupSubmitted(submission, from: bench.from(worker)))
        }
        return leases
    }

    @Test("A verifier that covers a cheat is found out by two others, and the cheat with it")
    func collusion() throws {
        var bench = try bench(verifiers: [first]) { $0.auditing.repeatRate = AuditDraw.certain }
        bench.join(second, .verifier)
        bench.join(third, .verifier)
        hand(&bench, alice)
        let audit = try #require(request(&bench, first).first)
        bench.report(first, audit.id, Bench.accepted)
        #expect(bench.run.state.checkQueue == [audit.group])
        #expect(request(&bench, first).isEmpty)
        let repeated = try #require(request(&bench, second).first)
        #expect(repeated.group == audit.group && bench.run.isCheck(repeated.id))
        #expect(bench.report(second, repeated.id, Bench.rejected()).settlements.isEmpty)
        #expect(request(&bench, second).isEmpty)
        let arbiter = try #require(request(&bench, third).first)
        let actions = bench.report(third, arbiter.id, Bench.rejected())
        #expect(bench.run.state.verifiers[first]?.ban?.check == "false-acceptance")
        #expect(bench.run.state.acceptedGroups.isEmpty && bench.run.state.workers[alice]?.strikes == 1)
        #expect(
            Set(actions.settlements.map(\.reference))
                == ["audited/\(repeated.id)", "audited/\(arbiter.id)", "revoked/\(audit.group.hex)"])
    }

    @Test("Whoever contradicts a sound acceptance is refuted by a third verifier")
    func liar() throws {
        var bench = try bench(verifiers: [first]) { $0.auditing.repeatRate = AuditDraw.certain }
        bench.join(second, .verifier)
        bench.join(third, .verifier)
        hand(&bench, alice)
        let audit = try #require(request(&bench, first).first)
        bench.report(first, audit.id, Bench.accepted)
        let repeated = try #require(request(&bench, second).first)
        bench.report(second, repeated.id, Bench.rejected())
        let arbiter = try #require(request(&bench, third).first)
        bench.report(third, arbiter.id, Bench.accepted)
        #expect(bench.run.state.verifiers[second]?.refuted == 1)
        #expect(bench.run.state.acceptedGroups == [audit.group] && bench.run.state.workers[alice]?.strikes == 0)
    }

    @Test("An acceptance against an accusation is decided by a third verifier where there is one")
    func contradiction() throws {
        var bench = try bench(verifiers: [first, second, third])
        hand(&bench, alice)
        let audit = try #require(request(&bench, first).first)
        bench.report(first, audit.id, Bench.rejected())
        let opinion = try #require(request(&bench, second).first)
        bench.report(second, opinion.id, Bench.accepted)
        #expect(bench.run.state.verifiers[first]?.refuted == 0)
        let arbiter = try #require(request(&bench, third).first)
        bench.report(third, arbiter.id, Bench.rejected())
        #expect(bench.run.state.verifiers[second]?.ban != nil && bench.run.state.workers[alice]?.strikes == 1)
        #expect(bench.run.state.acceptedGroups.isEmpty)
    }

    @Test("Another key's identical result reopens a rejection; the first owner gets its credit, the accuser the blame")
    func reopening() throws {
        var bench = try bench(groupsPerBatch: 1, verifiers: [first])
        let lease = try #require(hand(&bench, alice).first)
        let audit = try #require(request(&bench, first).first)
        bench.report(first, audit.id, Bench.rejected())
        #expect(bench.run.state.workers[alice]?.strikes == 1)
        let again = try #require(hand(&bench, bob).first)
        #expect(again.slot == lease.slot && bench.run.state.checkQueue == [audit.group])
        // Not the one whose verdict it is.
        #expect(request(&bench, first).map(\.group) == [Bench.group(again.id)])
        // One against one is not enough: the second may conspire with the worker.
        bench.join(second, .verifier)
        let check = try #require(request(&bench, second).first)
        #expect(check.group == audit.group)
        bench.join(third, .verifier)
        #expect(bench.report(second, check.id, Bench.accepted).settlements.map(\.reference) == ["audited/\(check.id)"])
        #expect(bench.run.state.workers[alice]?.strikes == 1)
        let decision = try #require(request(&bench, third).first)
        let actions = bench.report(third, decision.id, Bench.accepted)
        #expect(
            Set(actions.settlements.map(\.reference))
                == ["earned/\(audit.group.hex)", "refunded/\(audit.group.hex)", "audited/\(decision.id)"])
        let worker = try #require(bench.run.state.workers[alice])
        #expect(worker.strikes == 0 && worker.rejected == 0 && worker.earned == 1_000)
        #expect(bench.run.state.verifiers[first]?.refuted == 1)
    }

    @Test("A cheat's second key and one conspiring verifier do not overturn an honest verifier's finding")
    func secondKey() throws {
        var bench = try bench(groupsPerBatch: 1, verifiers: [first]) { $0.limits.verifierFaults = 1 }
        let group = try reopened(&bench, accusers: [first], others: [second])
        let check = try #require(request(&bench, second).first { $0.group == group })
        bench.report(second, check.id, Bench.accepted)
        #expect(bench.run.state.workers[alice]?.strikes == 1 && bench.run.state.workers[alice]?.earned == 0)
        #expect(bench.run.state.verifiers[first]?.ban == nil && bench.run.state.checkQueue.isEmpty)
    }

    @Test("Verdicts that rest on nobody but a banned liar are looked at again, and then one verifier is enough")
    func liarsVerdicts() throws {
        var bench = try bench(groupsPerBatch: 4, verifiers: [first])
        hand(&bench, alice)
        let audit = try #require(request(&bench, first).first)
        bench.report(first, audit.id, Bench.rejected())
        #expect(bench.run.state.workers[alice]?.strikes == 1)
        bench.join(second, .verifier)
        bench.run.ban(verifier: first, Finding(check: "refuted-accusations", reason: "", severity: .slash))
        let check = try #require(request(&bench, second).first { $0.group == audit.group })
        bench.report(second, check.id, Bench.accepted)
        #expect(bench.run.state.workers[alice]?.strikes == 0 && bench.run.state.workers[alice]?.earned == 1_000)
    }

    @Test("A backlog of audits does not keep the looks at verifiers waiting")
    func backlog() throws {
        var bench = try bench(verifiers: [first, second]) { $0.auditing.repeatRate = AuditDraw.certain }
        hand(&bench, alice, 8)
        let audit = try #require(request(&bench, first, 1).first)
        bench.report(first, audit.id, Bench.accepted)
        let mixed = request(&bench, second, 4)
        #expect(mixed.count == 4 && mixed.count { bench.run.isCheck($0.id) } == 1)
    }

    @Test("A verdict that is being looked at again survives the checkpoint that covers its slot")
    func reopenedBeyondStable() throws {
        var bench = try bench(groupsPerBatch: 1, verifiers: [first])
        let group = try reopened(&bench, accusers: [first], others: [second, third])
        // The result that reopened it is accepted and trained on.
        for audit in request(&bench, second, 1) where audit.group != group {
            bench.report(second, audit.id, Bench.accepted)
        }
        while let audit = request(&bench, first, 1).first { bench.report(first, audit.id, Bench.accepted) }
        bench.requestBatch(1)
        let actions = bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: 1))
        for case .forgetGroups(let forgotten) in actions { #expect(!forgotten.contains(group)) }
        #expect(bench.run.state.stableStep == 1 && bench.run.state.keptGroups == [group])
        let check = try #require(bench.audits(second).first { $0.group == group })
        bench.report(second, check.id, Bench.accepted)
        let decision = try #require(bench.audits(third).first { $0.group == group })
        let overturned = bench.report(third, decision.id, Bench.accepted)
        #expect(overturned.settlements.contains { $0.reference == "earned/\(group.hex)" })
        #expect(overturned.contains(.forgetGroups([group])) && bench.run.state.groups[group] == nil)
    }

    @Test("A verifier whose accusations are overturned afterwards loses its place like one whose are refuted at once")
    func overturnedAccuser() throws {
        var bench = try bench(groupsPerBatch: 1, verifiers: [first]) { $0.limits.verifierFaults = 1 }
        let group = try reopened(&bench, accusers: [first], others: [second, third])
        for verifier in [second, third] {
            let check = try #require(request(&bench, verifier).first { $0.group == group })
            bench.report(verifier, check.id, Bench.accepted)
        }
        #expect(bench.run.state.verifiers[first]?.ban?.check == "refuted-accusations")
    }

    @Test("Another result does not reopen a rejection, nor does the same key's")
    func noReopening() throws {
        var bench = try bench(groupsPerBatch: 1, verifiers: [first])
        hand(&bench, alice)
        let audit = try #require(request(&bench, first).first)
        bench.report(first, audit.id, Bench.rejected())
        hand(&bench, alice)
        #expect(bench.run.state.checkQueue.isEmpty)
    }

    @Test("A group that one verifier cannot audit is not leased again while another is there")
    func otherVerifier() throws {
        var bench = try bench(groupsPerBatch: 1, verifiers: [first, second])
        hand(&bench, alice)
        for _ in 0..<8 {
            guard let audit = request(&bench, first).first else { break }
            bench.send(.auditsFaulted(from: bench.from(first), audits: [audit.id], reason: "no memory"))
        }
        #expect(bench.run.state.auditQueue.count == 1 && bench.run.state.waitingSlots.isEmpty)
        let audit = try #require(request(&bench, second).first)
        bench.send(.auditsFaulted(from: bench.from(second), audits: [audit.id], reason: "no memory"))
        // Both have tried: a few more times, then nobody is asked any more.
        for _ in 0..<3 {
            let again = try #require(bench.audits(first).first)
            bench.send(.auditsFaulted(from: bench.from(first), audits: [again.id], reason: "no memory"))
        }
        #expect(bench.run.state.waitingSlots.count == 1)
    }

    /// Has the verdict about a rejected group looked at again by an identical result, with these verifiers there.
    private func reopened(
        _ bench: inout Bench, accusers: [PublicKey], others: [PublicKey]
    ) throws -> Hash256 {
        hand(&bench, alice)
        let group = Bench.group(bench.run.state.nextLease - 1)
        for accuser in accusers {
            if bench.run.connection(of: accuser) == nil { bench.join(accuser, .verifier) }
        }
        for accuser in accusers {
            let audit = try #require(request(&bench, accuser).first)
            bench.report(accuser, audit.id, Bench.rejected())
        }
        for other in others { bench.join(other, .verifier) }
        hand(&bench, bob)
        return group
    }

    /// Has every verifier that is asked about a group say what it says, in an order that a seed decides.
    private func ask(
        _ bench: inout Bench, about group: Hash256, _ voices: [PublicKey: AuditVerdict], seed: UInt64
    ) -> [Settlement] {
        var random = SplitMix(seed)
        var settlements: [Settlement] = []
        for _ in 0..<40 {
            let verifier = random.pick(voices.keys.sorted { $0.hex < $1.hex })
            for audit in request(&bench, verifier, 1) {
                let verdict = audit.group == group ? voices[verifier] : nil
                settlements += bench.report(verifier, audit.id, verdict ?? Bench.accepted).settlements
            }
        }
        return settlements
    }

    @Test("One colluding verifier does not overturn what two honest ones found, in whatever order they are asked")
    func oneColluder() throws {
        for seed in 0..<40 as Range<UInt64> {
            var bench = try bench(groupsPerBatch: 1, verifiers: [first, second])
            let colluder = Bench.verifiers[3]
            let group = try reopened(&bench, accusers: [first, second], others: [colluder])
            let voices = [first: Bench.rejected(), second: Bench.rejected(), colluder: Bench.accepted]
            let settlements = ask(&bench, about: group, voices, seed: seed)
            #expect(!settlements.contains { $0.reference == "earned/\(group.hex)" })
            #expect(bench.run.state.workers[alice]?.strikes == 1)
            #expect(bench.run.state.verifiers[first]?.refuted == 0 && bench.run.state.verifiers[second]?.refuted == 0)
        }
    }

    @Test("Two colluders' rejection is overturned by three honest verifiers, not by fewer", arguments: [1, 2, 3, 4])
    func twoColluders(honest: Int) throws {
        for seed in 0..<40 as Range<UInt64> {
            var bench = try bench(groupsPerBatch: 1, verifiers: [first, second])
            let others = Array(Bench.verifiers[2..<(2 + honest)])
            let group = try reopened(&bench, accusers: [first, second], others: others)
            var voices = [first: Bench.rejected(), second: Bench.rejected()]
            for other in others { voices[other] = Bench.accepted }
            let settlements = ask(&bench, about: group, voices, seed: seed)
            let isOverturned = settlements.contains { $0.reference == "earned/\(group.hex)" }
            #expect(isOverturned == (honest >= 3), "\(honest) honest verifiers, seed \(seed)")
            #expect(bench.run.state.workers[alice]?.strikes == (honest >= 3 ? 0 : 1))
            #expect(bench.run.state.verifiers[first]?.refuted == (honest >= 3 ? 1 : 0))
        }
    }

    @Test("A colluder that confirms a cheat against one honest verifier is asked for a third opinion")
    func thirdOpinion() throws {
        for seed in 0..<40 as Range<UInt64> {
            var bench = try bench(groupsPerBatch: 1, verifiers: [first])
            let colluder = Bench.verifiers[3]
            let group = try reopened(&bench, accusers: [first], others: [colluder, second])
            let voices = [first: Bench.rejected(), second: Bench.rejected(), colluder: Bench.accepted]
            let settlements = ask(&bench, about: group, voices, seed: seed)
            #expect(!settlements.contains { $0.reference == "earned/\(group.hex)" })
            #expect(bench.run.state.verifiers[first]?.refuted == 0)
        }
    }

    @Test("An overturned rejection gives back what it took: promised again what was promised, nothing of it twice")
    func refund() throws {
        var bench = try Bench.adaptive()
        bench.trust(alice)
        let waiting = bench.hand(alice, 3)
        let before = try #require(bench.run.state.workers[alice])
        bench.run.pick(waiting[2])
        let audit = try #require(request(&bench, first).first)
        bench.report(first, audit.id, Bench.rejected())
        #expect(bench.run.state.workers[alice]?.unvestedCredit == 0)
        for verifier in [second, third] { bench.join(verifier, .verifier) }
        // Somebody else comes to the same result for the slot.
        let slot = try #require(bench.run.state.groups[waiting[2]]?.slot)
        var isReopened = false
        for lease in bench.ask(bob, 8) {
            let submission = Submission(
                lease: lease.id, group: Bench.group(lease.id), tokens: 5, work: 1_000,
                content: SHA256.hash([UInt8(truncatingIfNeeded: lease.slot)]))
            bench.send(.groupSubmitted(submission, from: bench.from(bob)))
            isReopened = isReopened || lease.slot == slot
        }
        #expect(isReopened)
        var refunds: [Settlement] = []
        for verifier in [second, third] {
            for audit in bench.audits(verifier) where audit.group == waiting[2] {
                refunds = bench.report(verifier, audit.id, Bench.good).settlements
            }
        }
        #expect(refunds.contains(.refunded(worker: alice, group: waiting[2], promised: 2_000)))
        #expect(refunds.contains(.earned(worker: alice, group: waiting[2], amount: 1_000, withheld: 100)))
        let worker = try #require(bench.run.state.workers[alice])
        // The two that nobody has vouched for are promised as before; this one counts once.
        #expect(worker.unvested.map(\.group) == Array(waiting.prefix(2)) && worker.unvestedCredit == 2_000)
        #expect(worker.balance == before.balance + 900 && worker.staked == before.staked + 100)
        #expect(worker.earned == before.earned + 1_000 && worker.strikes == 0)
    }
}
