import Identity
import Testing

@testable import Orchestration

@Suite("Adaptive auditing")
struct AdaptiveTests {
    let alice = Bench.workers[0]
    let bob = Bench.workers[1]
    let first = Bench.verifiers[0]
    let second = Bench.verifiers[1]
    let third = Bench.verifiers[2]

    @Test("HMAC, secrets and thresholds are what the documentation says")
    func draws() throws {
        let secret = AuditDraw.secret(ofEpoch: 2, runSecret: [1, 2, 3])
        let message = Array("apus/audit-epoch/v1\u{0}".utf8) + [2, 0, 0, 0, 0, 0, 0, 0]
        #expect(secret == hmacSHA256(key: [1, 2, 3], message))
        let group = SHA256.hash([9])
        let mac = hmacSHA256(key: secret.bytes, group.bytes)
        let fraction = mac.bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let share = Double(fraction) / 0x1p64
        #expect(!AuditDraw.isDrawn(group, probability: UInt32(share * 1e6), secret: secret))
        #expect(AuditDraw.isDrawn(group, probability: UInt32(share * 1e6) + 1, secret: secret))
        #expect(AuditDraw.isDrawn(group, probability: AuditDraw.certain, secret: secret))
        #expect(AuditDraw.millionths(1, of: 3) == 333_334 && AuditDraw.millionths(4, of: 3) == AuditDraw.certain)
        #expect(AuditDraw.millionths(.max / 2, of: .max) == 500_000 && AuditDraw.millionths(0, of: 5) == 0)
    }

    @Test("The probability is the largest of the floor, 1 / streak and what deterrence asks for")
    func probability() throws {
        var bench = try Bench.adaptive { $0.auditing.floor = 50_000 }
        // A thousand FLOPs are what the run's groups take, whoever's they are.
        bench.trust(bob)
        func probability(streak: Int64, balance: Int64, unvested: Int64 = 0, work: Int64 = 1_000) -> UInt32 {
            var worker = WorkerRecord()
            worker.streak = streak
            worker.balance = balance
            worker.staked = 1_000_000_000
            if unvested > 0 { worker.unvested = [UnvestedCredit(group: .zero, ordinal: 1, amount: unvested)] }
            return bench.run.auditProbability(work: work, of: worker)
        }
        #expect(probability(streak: 1_990, balance: 10_000_000) == AuditDraw.certain)
        #expect(probability(streak: 4_000, balance: 10_000_000) == 250_000)
        #expect(probability(streak: 10_000_000, balance: 10_000_000) == 50_000)
        // 19,000 at risk beside the group of 1,000 is what p = 0.05 asks for; stake is not at risk for one mismatch.
        #expect(probability(streak: 10_000_000, balance: 19_000) == 50_000)
        #expect(probability(streak: 10_000_000, balance: 9_000) == 100_000)
        #expect(probability(streak: 10_000_000, balance: 4_000, unvested: 5_000) == 100_000)
        #expect(probability(streak: 10_000_000, balance: 0) == AuditDraw.certain)
        // Small groups buy no trust for a large one, nor does a key that picks small ones set the measure.
        #expect(probability(streak: 4_000, balance: 10_000_000, work: 10_000) == AuditDraw.certain)
        #expect(probability(streak: 1_990, balance: 10_000_000, work: 10) == AuditDraw.certain)
    }

    @Test("A trusted worker's group is scored unaudited, its credit promised, and vests with the next passed audit")
    func vesting() throws {
        var bench = try Bench.adaptive()
        bench.trust(alice)
        let waiting = bench.hand(alice, 3)
        #expect(bench.run.state.provisionalGroups == waiting)
        #expect(bench.run.state.workers[alice]?.unvestedCredit == 3_000)
        #expect(bench.run.state.auditQueue.isEmpty)
        bench.run.pick(waiting[1])
        let id = try #require(bench.send(.auditsRequested(from: bench.from(first), groups: 1)).audits.first?.id)
        let actions = bench.report(
            first, id, .accepted(.init(rewards: [1, 0], verifiedFLOPs: 1_000, auditFLOPs: 100)))
        #expect(
            Set(actions.settlements.map(\.reference))
                == Set(waiting.map { "vested/\($0.hex)" } + ["audited/\(id)"]))
        #expect(bench.run.state.workers[alice]?.unvested.isEmpty == true)
        #expect(bench.run.state.acceptedGroups.suffix(3) == [waiting[1], waiting[0], waiting[2]])
    }

    @Test("A mismatch takes what waits, burns what was promised, fines the earnings, not the stake, and ends the trust")
    func forfeiture() throws {
        var bench = try Bench.adaptive { $0.timing.rejection = 1_000 }
        bench.trust(alice)
        let waiting = bench.hand(alice, 3)
        #expect(bench.run.state.provisionalGroups == waiting)
        bench.run.pick(waiting[2])
        let id = try #require(bench.send(.auditsRequested(from: bench.from(first), groups: 1)).audits.first?.id)
        let before = try #require(bench.run.state.workers[alice])
        let actions = bench.report(first, id, Bench.rejected())
        let worker = try #require(bench.run.state.workers[alice])
        #expect(actions.settlements.contains(.forfeited(worker: alice, group: waiting[2], amount: 3_000)))
        // Its draw's probability decides what it stands for.
        let drawn = bench.facts.compactMap { fact -> UInt32? in
            if case .auditDrawn(waiting[2], _, let probability, _) = fact { probability } else { nil }
        }
        let worth = 1_000 * Double(AuditDraw.certain - drawn[0]) / Double(drawn[0]) - 3_000
        #expect(abs(Double(before.balance - worker.balance) - 100 - worth) <= 1)
        #expect(worker.staked == before.staked && worker.ban == nil)
        #expect(worker.unvested.isEmpty && worker.waitingGroups.isEmpty && worker.streak == 0)
        #expect(bench.run.state.provisionalGroups.isEmpty && bench.run.state.counters.withdrawn == 2)
        #expect(bench.ask(alice, 1).isEmpty)
        #expect(bench.leases(in: bench.wait(1_000), to: alice).count == 1)
    }

    @Test("A batch takes provisional groups up to its share and a key's, and none as the last one")
    func shares() throws {
        let sizes = (1...200).map { ($0, Run.Auditing().provisionalShare(ofBatch: $0)) }
        #expect(sizes.allSatisfy { $1.total * 4 <= $0 && $1.perKey <= max(1, $0 / 20) && $1.perKey <= $1.total })
        #expect(sizes[2].1 == (0, 0) && sizes[3].1 == (1, 1) && sizes[63].1 == (16, 3))
        // Sixty groups are vouched for, and five more of each key may come as they are; under a secret that draws none.
        var quiet: Bench?
        for secret in 1...40 as ClosedRange<UInt8> where quiet == nil {
            var bench = try Bench.adaptive(steps: 9) {
                $0.pace = 8
                $0.maximumStaleness = 8
                $0.secret = [secret]
            }
            bench.trust(alice, groups: 180)
            bench.trust(bob, groups: 180)
            for step in 1...3 as ClosedRange<UInt64> { bench.requestBatch(step) }
            try #require(bench.run.state.acceptedGroups.count == 60)
            bench.send(.goodbye(from: bench.connection(first)))
            let before = bench.facts.count
            bench.hand(alice, 40)
            bench.hand(bob, 20)
            if !bench.facts.dropFirst(before).contains(where: {
                if case .auditDrawn(_, _, _, true) = $0 { true } else { false }
            }) {
                quiet = bench
            }
        }
        var bench = try #require(quiet)
        bench.requestBatch(4)
        #expect(bench.run.state.batches[4] == nil)
        // One group is picked, of the key that has the most waiting.
        let queued = bench.run.state.auditQueue.compactMap { bench.run.state.groups[$0] }
        #expect(queued.filter { $0.draw?.isDrawn == false }.map(\.worker) == [alice])
        bench.join(first, .verifier)
        bench.audit(.accepted(.init(rewards: [1, 0], verifiedFLOPs: 1_000, auditFLOPs: 100)))
        #expect(bench.run.state.batches[4]?.count == 100)
        #expect(bench.run.state.counters.provisionalInBatches <= 10)
    }

    @Test("Of waiting groups, a batch may take its share in all and each key's own, and the last batch none")
    func members() throws {
        for (perCent, ofBob) in [(25, 5), (7, 2)] {
            var bench = try Bench.adaptive(steps: 2) {
                $0.auditing.provisionalPerCent = perCent
                $0.auditing.floor = 50_000
            }
            bench.trust(alice, groups: 45)
            bench.trust(bob, groups: 45)
            bench.hand(alice, 12)
            bench.hand(bob, 12)
            // Some may have been drawn.
            let waiting = bench.run.state.provisionalGroups
            let ofAlice = waiting.filter { bench.run.state.groups[$0]?.worker == alice }
            let ofOther = waiting.filter { bench.run.state.groups[$0]?.worker == bob }
            try #require(ofAlice.count > 5 && ofOther.count > 5 && waiting == ofAlice + ofOther)
            let members = bench.run.provisionalMembers(forBatch: 1, of: waiting)
            #expect(members == Array(ofAlice.prefix(5) + ofOther.prefix(ofBob)))
            #expect(bench.run.provisionalMembers(forBatch: 2, of: waiting).isEmpty)
        }
    }

    @Test("Commitments come before an epoch, secrets after it, to whoever is there and in the welcome")
    func epochs() throws {
        var bench = try Bench.adaptive { $0.auditing.epochGroups = 2 }
        #expect(bench.run.state.epoch?.number == 0)
        bench.hand(alice, 2)
        let actions = bench.send(.tick)
        let secret = AuditDraw.secret(ofEpoch: 0, runSecret: [7])
        #expect(actions.facts.first == .epochRevealed(epoch: 0, secret: secret))
        guard
            case .announceEpoch(let to, let epoch)? = actions.first(where: {
                if case .announceEpoch = $0 { true } else { false }
            })
        else {
            Issue.record("nobody was told")
            return
        }
        #expect(to.count == 2 && epoch.number == 1 && epoch.revealed == secret)
        #expect(epoch.commitment == AuditDraw.commitment(to: AuditDraw.secret(ofEpoch: 1, runSecret: [7])))
        #expect(epoch.next == AuditDraw.commitment(to: AuditDraw.secret(ofEpoch: 2, runSecret: [7])))
        try bench.restart()
        let welcome = bench.join(first, .verifier).compactMap {
            if case .welcome(_, let welcome) = $0 { welcome } else { nil }
        }
        #expect(welcome.first?.epoch == epoch)
    }

    @Test("The end of a run tells the last secret, and what goes on after it begins another epoch")
    func lastEpoch() throws {
        var bench = try Bench.adaptive(groupsPerBatch: 2, steps: 1)
        bench.join(first, .verifier)
        bench.hand(alice, 2)
        bench.audit(Bench.good)
        bench.requestBatch(1)
        bench.publish(2, step: 1)
        bench.send(.batchDone(from: bench.from(Bench.trainer), step: 1))
        let actions = bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: 1))
        #expect(actions.stops)
        #expect(actions.facts.contains(.epochRevealed(epoch: 0, secret: AuditDraw.secret(ofEpoch: 0, runSecret: [7]))))
        #expect(bench.wait(1_000).facts.isEmpty)
        try bench.restart()
        bench.join(alice, .worker)
        #expect(bench.run.state.epoch?.number == 1)
    }

    @Test("An untrusted key has two leases' worth of tokens open at most")
    func untrustedTokens() throws {
        var bench = try Bench.adaptive { $0.auditing.trustedAfter = 10 }
        #expect(bench.ask(alice, 50).count == 2)
        var other = try Bench.adaptive { $0.auditing.trustedAfter = 10 }
        other.join(first, .verifier)
        other.hand(alice, 1)
        other.audit()
        // Its groups have five tokens, so two leases' worth of a hundred hold forty.
        #expect(other.ask(alice, 50).count == 40)
    }

    @Test("What a lone engine of other arithmetic hands in is always audited")
    func alwaysAudited() throws {
        var bench = try Bench.adaptive()
        bench.trust(alice)
        let lease = try #require(bench.ask(alice, 1).first)
        let submission = Submission(
            lease: lease.id, group: Bench.group(lease.id), tokens: 5, work: 1_000, isAlwaysAudited: true)
        bench.send(.groupSubmitted(submission, from: bench.from(alice)))
        #expect(bench.run.state.groups[submission.group]?.draw == nil)
        #expect(bench.run.state.workers[alice]?.pendingGroups == [submission.group])
    }

    @Test("A group that the lab cannot score is audited")
    func unscored() throws {
        var bench = try Bench.adaptive()
        bench.trust(alice)
        let lease = try #require(bench.ask(alice, 1).first)
        let submission = Submission(lease: lease.id, group: Bench.group(lease.id), tokens: 5, work: 1_000)
        bench.send(.groupSubmitted(submission, from: bench.from(alice)))
        #expect(bench.run.state.scoringGroups == [submission.group])
        bench.send(.groupScored(group: submission.group, rewards: nil))
        #expect(bench.run.state.workers[alice]?.pendingGroups == [submission.group])
        #expect(bench.run.state.scoringGroups.isEmpty && bench.run.state.workers[alice]?.unvested.isEmpty == true)
    }

    @Test("After a restart, groups that were being scored are scored")
    func restart() throws {
        var bench = try Bench.adaptive()
        bench.trust(alice)
        let lease = try #require(bench.ask(alice, 1).first)
        let submission = Submission(lease: lease.id, group: Bench.group(lease.id), tokens: 5, work: 1_000)
        bench.send(.groupSubmitted(submission, from: bench.from(alice)))
        try bench.restart()
        #expect(bench.send(.tick).contains(.scoreGroup(submission.group)))
    }
}
