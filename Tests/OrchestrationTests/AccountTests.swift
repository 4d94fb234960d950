import Identity
import Testing

@testable import Orchestration

@Suite("Promised credit at the end")
struct AccountTests {
    let alice = Bench.workers[0]
    let bob = Bench.workers[1]
    let first = Bench.verifiers[0]
    let second = Bench.verifiers[1]

    /// A bench with batches of four and a trusted worker, whose audited groups are in batches as far as they fill some.
    private func bench(
        steps: UInt64 = 30, _ adjust: (inout Run.Configuration) -> Void = { _ in }
    ) throws -> Bench {
        var bench = try Bench.adaptive(groupsPerBatch: 4, steps: steps) {
            $0.pace = 20
            adjust(&$0)
        }
        bench.trust(alice)
        while bench.run.state.acceptedGroups.count >= 4 {
            let step = bench.run.state.cutStep + 1
            bench.requestBatch(step)
            bench.publish((bench.run.state.newest?.number ?? 0) + 1, step: step)
            bench.send(.batchDone(from: bench.from(Bench.trainer), step: step))
        }
        return bench
    }

    /// Fills one more batch, the last of its groups unaudited and unvouched for; more of them where that one is drawn.
    private func provisionalBatch(_ bench: inout Bench) throws -> Hash256 {
        while true {
            let step = bench.run.state.cutStep + 1
            bench.requestBatch(step)
            while bench.run.state.cutStep < step, bench.run.state.acceptedGroups.count < 3 {
                bench.hand(alice, 1, isScored: false)
                bench.audit(Bench.good)
            }
            if bench.run.state.cutStep < step { bench.hand(alice, 1) }
            if bench.run.state.cutStep < step { bench.audit(Bench.good) }
            let batch = try #require(bench.run.state.batches[step])
            if let promised = batch.first(where: { bench.run.isPromised($0) }) { return promised }
        }
    }

    @Test("Credit whose batch a STABLE checkpoint covers is still closed: one group stays, with its version's weights")
    func beyondStable() throws {
        var bench = try bench { $0.auditing.epochGroups = 1 }
        let group = try provisionalBatch(&bench)
        let step = bench.run.state.cutStep
        let actions = bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: step))
        #expect(actions.facts.contains(.checkpointStable(step: step, kept: [group])))
        #expect(bench.run.state.keptGroups == [group] && bench.run.state.batches.isEmpty)
        let version = try #require(bench.run.state.groups[group]?.version)
        #expect(bench.run.versionsInUse.contains(version))
        for case .forgetGroups(let forgotten) in actions { #expect(!forgotten.contains(group)) }
        // Its worker leaves: what nobody has vouched for is looked at, and counts.
        bench.leave(alice, before: bob)
        let audit = try #require(bench.audits(first).first)
        #expect(audit.group == group)
        let closing = bench.report(first, audit.id, Bench.good)
        #expect(closing.settlements.contains { $0.reference == "vested/\(group.hex)" })
        #expect(closing.facts.contains(.groupsForgotten(groups: [group])))
        #expect(bench.run.state.keptGroups.isEmpty && bench.run.state.groups[group] == nil)
        #expect(!bench.run.versionsInUse.contains(version) || version == bench.run.state.newest?.number)
    }

    @Test("When all batches are made, a key that is still there has its promised credit closed before the run ends")
    func closing() throws {
        // Seven batches of audited groups, one with a promised group, and the last one.
        var bench = try bench(steps: 9) { $0.maximumStaleness = 30 }
        let group = try provisionalBatch(&bench)
        #expect(bench.run.state.cutStep == 8)
        bench.send(.batchDone(from: bench.from(Bench.trainer), step: 8))
        bench.requestBatch(9)
        for _ in 0..<4 {
            bench.hand(alice, 1, isScored: false)
            let audit = try #require(bench.audits(first).first)
            bench.report(first, audit.id, Bench.good)
        }
        try #require(bench.run.state.cutStep == 9)
        var actions = bench.send(.batchDone(from: bench.from(Bench.trainer), step: 9))
        actions += bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: 9))
        #expect(!actions.stops && bench.run.isPromised(group))
        for _ in 0..<4 where !actions.stops {
            let audit = try #require(bench.audits(first).first)
            actions += bench.report(first, audit.id, Bench.good)
        }
        #expect(actions.stops && actions.settlements.contains { $0.reference == "vested/\(group.hex)" })
        #expect(bench.run.state.workers[alice]?.unvested.isEmpty == true)
    }

    @Test("The run does not end before the trainer's last doubts are looked into, a restart between or not")
    func lastDoubts() throws {
        for restarts in [false, true] {
            // Nobody's credit is promised any more: the last batch holds what an audit has vouched for.
            var bench = try bench(steps: 9) { $0.maximumStaleness = 30 }
            while bench.run.state.cutStep < 8 {
                let step = bench.run.state.cutStep + 1
                bench.requestBatch(step)
                while bench.run.state.cutStep < step {
                    bench.hand(alice, 1, isScored: false)
                    bench.audit(Bench.good)
                }
                bench.send(.batchDone(from: bench.from(Bench.trainer), step: step))
            }
            bench.requestBatch(9)
            let waiting = bench.hand(alice, 4)
            while bench.run.state.cutStep < 9 { bench.audit(Bench.good) }
            let group = try #require(
                bench.run.state.batches[9]?.first {
                    waiting.contains($0) && bench.run.state.groups[$0]?.confirmations.isEmpty == true
                })
            bench.send(.groupsDoubted(from: bench.from(Bench.trainer), groups: [group]))
            var actions = bench.send(.batchDone(from: bench.from(Bench.trainer), step: 9))
            actions += bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: 9))
            #expect(!actions.stops)
            if restarts {
                try bench.restart()
                #expect(!bench.send(.tick).stops)
                bench.join(Bench.trainer, .trainer, resumeStep: 9)
                bench.join(first, .verifier)
            }
            let audit = try #require(bench.audits(first).first { $0.group == group })
            let last = bench.report(first, audit.id, Bench.rejected())
            #expect(last.stops && bench.run.state.workers[alice]?.strikes == 1, "restarts: \(restarts)")
        }
    }

    @Test("A run whose verifiers are gone for good ends all the same")
    func withoutVerifiers() throws {
        var bench = try bench(steps: 9) { $0.maximumStaleness = 30 }
        _ = try provisionalBatch(&bench)
        bench.send(.batchDone(from: bench.from(Bench.trainer), step: 8))
        bench.requestBatch(9)
        for _ in 0..<4 {
            bench.hand(alice, 1, isScored: false)
            let audit = try #require(bench.audits(first).first)
            bench.report(first, audit.id, Bench.good)
        }
        try #require(bench.run.state.cutStep == 9)
        bench.send(.goodbye(from: bench.connection(first)))
        var actions = bench.send(.batchDone(from: bench.from(Bench.trainer), step: 9))
        actions += bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: 9))
        #expect(!actions.stops)
        for _ in 0..<7 where !actions.stops {
            bench.now += 10_000
            actions += bench.send(.heartbeat(from: bench.connection(Bench.trainer)))
        }
        #expect(actions.stops)
    }

    @Test("A closing audit whose version nobody has any more is given up, once for every group")
    func versionGone() throws {
        var bench = try bench { $0.auditing.epochGroups = 1 }
        let group = try provisionalBatch(&bench)
        bench.leave(alice, before: bob)
        var tries = 0
        while let audit = bench.audits(first).first, tries < 100 {
            #expect(audit.group == group)
            bench.send(.auditsFaulted(from: bench.from(first), audits: [audit.id], reason: "no such version"))
            tries += 1
        }
        #expect(tries == bench.run.configuration.limits.auditAttempts)
        #expect(bench.run.state.workers[alice]?.strikes == 0 && bench.run.state.workers[alice]?.unvested.count == 1)
        #expect(bench.run.presence.accounts.isEmpty)
        bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: bench.run.state.cutStep))
        #expect(bench.run.state.keptGroups.isEmpty)
    }

    @Test("A worker that comes and goes has no group audited for it; one that stays away has, a restart between or not")
    func comingAndGoing() throws {
        for restarts in [false, true] {
            var bench = try bench { $0.auditing.epochGroups = 3 }
            let group = try provisionalBatch(&bench)
            for instance in 1...3 as ClosedRange<UInt64> {
                bench.send(.goodbye(from: bench.connection(alice)))
                #expect(bench.audits(first).isEmpty)
                bench.join(alice, .worker, instance: instance)
                // Another process under its key, without a goodbye.
                bench.join(alice, .worker, instance: instance + 10)
                #expect(bench.audits(first).isEmpty)
            }
            if restarts {
                try bench.restart()
                bench.join(bob, .worker)
                bench.join(first, .verifier)
                bench.join(Bench.trainer, .trainer, resumeStep: bench.run.state.stableStep)
                #expect(bench.audits(first).isEmpty)
            }
            bench.leave(alice, before: bob)
            #expect(bench.audits(first).map(\.group) == [group], "restarts: \(restarts)")
        }
    }

    @Test("Credit that waits for long is closed although its worker is still there")
    func overdue() throws {
        var bench = try bench { $0.auditing.unvestedSteps = 0 }
        let group = try provisionalBatch(&bench)
        bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: bench.run.state.cutStep))
        #expect(bench.audits(first).map(\.group) == [group])
    }

    @Test("A group that is being checked survives the checkpoint, and is judged all the same")
    func checkedBeyondStable() throws {
        var bench = try bench()
        let group = try provisionalBatch(&bench)
        let step = bench.run.state.cutStep
        bench.send(.groupsDoubted(from: bench.from(Bench.trainer), groups: [group]))
        bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: step))
        let audit = try #require(bench.audits(first).first)
        bench.report(first, audit.id, Bench.rejected())
        #expect(bench.run.state.workers[alice]?.strikes == 1)
        #expect(bench.run.state.keptGroups.isEmpty && bench.run.state.groups[group] == nil)
    }

    @Test("A group that the trainer doubts is punished once, however often and after whatever restarts it is reported")
    func doubtedOnce() throws {
        var bench = try bench()
        let group = try provisionalBatch(&bench)
        func report(_ bench: inout Bench) {
            bench.send(.groupsDoubted(from: bench.from(Bench.trainer), groups: [group, group]))
        }
        report(&bench)
        report(&bench)
        let audits = bench.audits(first)
        #expect(audits.map(\.group) == [group])
        bench.report(first, try #require(audits.first).id, Bench.rejected())
        #expect(bench.run.state.workers[alice]?.strikes == 1)
        let facts = bench.facts
        report(&bench)
        try bench.restart()
        bench.join(Bench.trainer, .trainer, resumeStep: bench.run.state.stableStep)
        bench.join(first, .verifier)
        report(&bench)
        #expect(bench.audits(first).isEmpty && bench.run.state.workers[alice]?.strikes == 1)
        #expect(!bench.facts.dropFirst(facts.count).contains { if case .checkOpened = $0 { true } else { false } })
        // The facts themselves cannot be applied twice.
        for fact in facts {
            switch fact {
            case .checkOpened(group, _), .acceptanceRevoked(group, _):
                var state = bench.run.state
                #expect(throws: FactMismatch.self) { try state.apply(fact) }
            default: break
            }
        }
    }

    @Test("A group that the trainer doubts and a verifier finds right counts, and vouches for nothing else")
    func doubtedWrongly() throws {
        var bench = try bench()
        let group = try provisionalBatch(&bench)
        let later = bench.hand(alice, 2)
        bench.send(
            .groupsUnavailable(from: bench.from(Bench.trainer), groups: [(group, "version 3 cannot be had")]))
        let audit = try #require(bench.audits(first).first)
        #expect(audit.group == group)
        bench.report(first, audit.id, Bench.good)
        #expect(!bench.run.isPromised(group) && bench.run.state.provisionalGroups == later)
        #expect(bench.run.state.workers[alice]?.unvested.map(\.group) == later)
    }

    @Test(
        "What the trainer computes differently and a verifier finds wrong is wrong; of one verifier's word alone, nothing"
    )
    func disbelieved() throws {
        let third = Bench.verifiers[2]
        // The verifiers that are asked, and whether they find it right.
        for voices in [[false], [true], [true, true], [true, false]] {
            var bench = try bench()
            let group = try provisionalBatch(&bench)
            for verifier in [second, third].prefix(voices.count - 1) { bench.join(verifier, .verifier) }
            bench.send(.groupsDoubted(from: bench.from(Bench.trainer), groups: [group]))
            for (verifier, isRight) in zip([first, second], voices) {
                let audit = try #require(bench.audits(verifier).first { $0.group == group })
                bench.report(verifier, audit.id, isRight ? Bench.good : Bench.rejected())
            }
            let isWrong = voices.contains(false)
            #expect(bench.run.state.workers[alice]?.strikes == (isWrong ? 1 : 0))
            #expect(
                bench.run.state.verifiers[first]?.ban?.check == (voices == [true, false] ? "false-acceptance" : nil))
            #expect(bench.run.isPromised(group) == (voices == [true]))
            // Nothing else of its worker's vouches for it.
            if voices == [true] {
                bench.hand(alice, 1, isScored: false)
                bench.run.pick(try #require(bench.hand(alice, 1).first))
                bench.audit(Bench.good)
                #expect(bench.run.isPromised(group))
            }
        }
    }

    @Test("While a second verifier is there, one finding against a group that the trainer cannot compute is not enough")
    func confirmed() throws {
        for isConfirmed in [true, false] {
            var bench = try bench()
            let group = try provisionalBatch(&bench)
            bench.join(second, .verifier)
            bench.send(.groupsUnavailable(from: bench.from(Bench.trainer), groups: [(group, "no weights")]))
            let audit = try #require(bench.audits(first).first)
            let accusation = bench.report(first, audit.id, Bench.rejected())
            #expect(accusation.settlements.isEmpty && bench.run.state.workers[alice]?.strikes == 0)
            #expect(bench.audits(first).isEmpty)
            let opinion = try #require(bench.audits(second).first)
            #expect(opinion.group == group)
            bench.report(second, opinion.id, isConfirmed ? Bench.rejected() : Bench.good)
            #expect(bench.run.state.workers[alice]?.strikes == (isConfirmed ? 1 : 0))
            // One against one: nobody is blamed.
            #expect(bench.run.state.verifiers[first]?.refuted == 0)
            #expect(bench.run.isPromised(group) == false)
        }
    }

    @Test("A finding stands when the second verifier does not come back; where there was never another one, at once")
    func unconfirmed() throws {
        for wasThere in [true, false] {
            var bench = try bench()
            if wasThere {
                bench.join(second, .verifier)
                bench.send(.auditsRequested(from: bench.from(first), groups: 0))
                bench.hand(alice, 1, isScored: false)
                let audit = try #require(bench.audits(second).first)
                bench.report(second, audit.id, Bench.good)
            }
            let group = try provisionalBatch(&bench)
            if wasThere { bench.send(.goodbye(from: bench.connection(second))) }
            bench.send(.groupsUnavailable(from: bench.from(Bench.trainer), groups: [(group, "no weights")]))
            let audit = try #require(bench.audits(first).first)
            bench.report(first, audit.id, Bench.rejected())
            #expect(bench.run.state.workers[alice]?.strikes == (wasThere ? 0 : 1))
            for _ in 0..<4 {
                bench.now += 4_000
                for key in [alice, first, Bench.trainer] { bench.send(.heartbeat(from: bench.connection(key))) }
            }
            #expect(bench.run.state.workers[alice]?.strikes == 1)
        }
    }
}
