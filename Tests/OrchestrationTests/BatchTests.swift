import Identity
import Testing

@testable import Orchestration

@Suite("Batches and versions")
struct BatchTests {
    let alice = Bench.workers[0]

    @Test("A batch is cut when the trainer waits and there are exactly enough groups, in order of acceptance")
    func exactBatch() throws {
        var bench = try Bench(groupsPerBatch: 3)
        bench.begin()
        #expect(bench.requestBatch(1).batches.isEmpty)
        bench.produce(2)
        #expect(bench.run.state.cutStep == 0)
        bench.produce(3)
        let batch = try #require(bench.run.state.batches[1])
        #expect(batch.count == 3 && bench.run.state.acceptedGroups.count == 2)
        let accepted = bench.facts.compactMap {
            if case .groupAccepted(let group, _, _, _, _, _) = $0 { group } else { nil }
        }
        #expect(batch == Array(accepted.prefix(3)))
    }

    @Test("Nothing is cut before the trainer asks")
    func lazily() throws {
        var bench = try Bench(groupsPerBatch: 2)
        bench.begin()
        bench.produce(4)
        #expect(bench.run.state.cutStep == 0)
        #expect(bench.requestBatch(1).batches.map(\.step) == [1])
    }

    @Test("A crashed trainer gets the same batches again, in the same order")
    func redispatch() throws {
        var bench = try Bench(groupsPerBatch: 2, pace: 1)
        bench.begin()
        for step in 1...3 as ClosedRange<UInt64> { bench.makeStep(step) }
        bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: 1))
        let before = bench.run.state.batches
        #expect(before.keys.sorted() == [2, 3])
        bench.join(Bench.trainer, .trainer, resumeStep: 1)
        #expect(bench.run.state.doneStep == 1)
        #expect(bench.requestBatch(2).batches.map(\.groups) == [before[2]])
        try bench.restart()
        bench.join(Bench.trainer, .trainer, resumeStep: 1)
        #expect(bench.requestBatch(3).batches.map(\.groups) == [before[3]])
        #expect(bench.requestBatch(1).refusals == ["batch-released"])
        #expect(bench.requestBatch(5).refusals == ["batch-ahead"])
    }

    @Test("What a trainer found wrong is looked at although it comes after a checkpoint of which nobody was told")
    func doubtsAfterCheckpoint() throws {
        var bench = try Bench(groupsPerBatch: 2)
        bench.begin()
        bench.produce(2)
        bench.requestBatch(1)
        let groups = try #require(bench.run.state.batches[1])
        // The trainer makes the step and its checkpoint, but both die before a word of it is heard.
        try bench.restart()
        bench.join(Bench.trainer, .trainer, resumeStep: 1)
        #expect(bench.run.state.doneStep == 1 && bench.run.state.stableStep == 0)
        let doubted = bench.send(.groupsDoubted(from: bench.from(Bench.trainer), groups: groups))
        #expect(doubted.facts == groups.map { .checkOpened(group: $0, purpose: .doubted) })
        bench.send(.batchDone(from: bench.from(Bench.trainer), step: 1))
        let stable = bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: 1))
        #expect(stable.facts.contains(.checkpointStable(step: 1, kept: groups)))
    }

    @Test("A trainer that goes back between two checkpoints gets the batches after the one that it has")
    func betweenCheckpoints() throws {
        var bench = try Bench(groupsPerBatch: 1)
        bench.begin()
        for step in 1...3 as ClosedRange<UInt64> { bench.makeStep(step) }
        bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: 1))
        let before = bench.run.state.batches
        try bench.restart()
        bench.join(Bench.trainer, .trainer, resumeStep: 2)
        #expect(bench.run.state.doneStep == 2 && bench.run.state.batches == before)
        #expect(bench.requestBatch(3).batches.map(\.groups) == [before[3]])
    }

    @Test("A trainer whose checkpoints do not fit the journal is told so")
    func misfits() throws {
        var bench = try Bench(groupsPerBatch: 1)
        bench.begin()
        bench.makeStep(1)
        bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: 1))
        #expect(bench.join(Bench.trainer, .trainer, resumeStep: 0).refusals == ["checkpoint-lost"])
        #expect(bench.join(Bench.trainer, .trainer, resumeStep: 2).refusals == ["checkpoint-ahead"])
        #expect(bench.join(Bench.workers[3], .trainer).refusals == ["not-listed"])
    }

    @Test("A step done twice and a checkpoint twice change nothing")
    func idempotence() throws {
        var bench = try Bench(groupsPerBatch: 1)
        bench.begin()
        bench.makeStep(1)
        #expect(bench.send(.batchDone(from: bench.from(Bench.trainer), step: 1)).facts.isEmpty)
        let stable = bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: 1))
        #expect(stable.facts == [.checkpointStable(step: 1, kept: nil)])
        #expect(bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: 1)).facts.isEmpty)
        #expect(bench.send(.batchDone(from: bench.from(Bench.trainer), step: 9)).refusals == ["batch-unknown"])
        #expect(bench.run.state.slots.isEmpty && bench.run.state.groups.isEmpty && bench.run.state.leases.isEmpty)
    }

    @Test("A group that is too old is discarded, keeps its credit, and its slot is leased again")
    func stale() throws {
        var bench = try Bench(groupsPerBatch: 1, pace: 2, staleness: 0)
        bench.begin()
        bench.produce(3)
        #expect(bench.run.state.acceptedGroups.count == 3)
        bench.requestBatch(1)
        bench.publish(2, step: 1)
        let actions = bench.requestBatch(2)
        #expect(actions.facts.count == 2 && actions.batches.isEmpty)
        #expect(bench.run.state.counters.discarded == 2 && bench.run.state.waitingSlots == [1, 2])
        #expect(bench.run.state.workers[alice]?.earned == 3_000)
        let again = bench.ask(alice, 1)
        #expect(again[0].slot == 1 && again[0].attempt == 1 && again[0].version.number == 2)
    }

    @Test("Version numbers are never reused; the same version again is fine")
    func versions() throws {
        var bench = try Bench(groupsPerBatch: 1)
        bench.begin()
        #expect(bench.publish(1, step: 0).facts.isEmpty)
        #expect(bench.publish(1, step: 0, salt: 1).refusals == ["version-reused"])
        #expect(bench.publish(2, step: 1).refusals == ["version-ahead"])
        bench.makeStep(1)
        // A rollback publishes old weights under a new number; leases name it.
        #expect(bench.publish(5, step: 0).facts.count == 1)
        #expect(bench.publish(3, step: 0).facts.isEmpty)
        bench.join(alice, .worker)
        #expect(bench.ask(alice, 1).map(\.version.number) == [5])
    }

    @Test("Old versions are forgotten once nothing refers to them")
    func forgottenVersions() throws {
        var bench = try Bench(steps: 100, groupsPerBatch: 1)
        bench.begin()
        for step in 1...60 as ClosedRange<UInt64> {
            bench.makeStep(step)
            bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: step))
        }
        #expect(bench.run.state.versions.count <= DurableState.rememberedVersions)
        #expect(bench.run.state.slots.isEmpty)
        #expect(bench.run.state.nextSlot == 60)
    }

    @Test("No batch is cut while too many wait for a checkpoint")
    func retained() throws {
        var bench = try Bench(groupsPerBatch: 1, pace: 3, staleness: 9) { $0.limits.retainedBatches = 2 }
        bench.begin()
        bench.produce(4)
        #expect(bench.requestBatch(1).batches.count == 1)
        #expect(bench.requestBatch(2).batches.count == 1)
        #expect(bench.requestBatch(3).batches.isEmpty)
        let actions = bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: 1))
        #expect(actions.batches.map(\.step) == [3])
    }

    @Test("The last step ends the run; the last checkpoint stops it")
    func finish() throws {
        var bench = try Bench(steps: 1, groupsPerBatch: 1)
        bench.begin()
        bench.makeStep(1)
        #expect(bench.run.isFinished && !bench.wait(1).stops)
        #expect(bench.ask(alice, 1).isEmpty)
        #expect(bench.send(.checkpointStable(from: bench.from(Bench.trainer), step: 1)).stops)
        #expect(!bench.wait(1).stops)
    }

    @Test("A finished run does not wait for ever for the last checkpoint")
    func finishWithoutCheckpoint() throws {
        var bench = try Bench(steps: 1, groupsPerBatch: 1)
        bench.begin()
        bench.makeStep(1)
        #expect(bench.wait(31_000).stops)
    }

    @Test("A batch takes accepted groups of the oldest version first, whenever they were accepted")
    func oldestFirst() throws {
        var bench = try Bench(groupsPerBatch: 2, pace: 3)
        bench.begin()
        bench.join(Bench.workers[1], .worker)
        let late = try #require(bench.ask(Bench.workers[1], 1).first)
        bench.makeStep(1)
        // Groups of version 2 are accepted before that of version 1.
        bench.produce(2)
        bench.submit(Bench.workers[1], late.id)
        bench.audit()
        #expect(bench.run.state.acceptedGroups.last == Bench.group(late.id))
        let batch = try #require(bench.requestBatch(2).batches.first)
        #expect(batch.groups.first == Bench.group(late.id))
        #expect(bench.run.state.counters.discarded == 0)
    }
}
