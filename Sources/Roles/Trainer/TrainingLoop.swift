import Logging
import Messages
import Orchestration
import RunConfiguration
import Training

/// Asks for batches and answers each with a step, a version and, now and then, a checkpoint.
actor TrainingLoop {
    private let session: OrchestratorSession
    private let desk: TrainingDesk
    private let publisher: Publisher
    private let retained: RetainedVersions
    private let unreplayed: UnreplayedGroups
    private let doubts: DoubtRecord
    private let file: RunFile
    private let log: Logger
    private var version: PolicyVersion
    private var step: UInt64
    private var reportedStep: UInt64
    private var stableStep: UInt64
    private var waitingSince = ContinuousClock.now
    /// The last request, or the last part that came.
    private var lastHeard = ContinuousClock.now
    private var isTraining = false
    private var isFinished = false
    /// What of earlier lives the orchestrator may not know is told once, after the first greeting.
    private var hasRepeated = false
    private var reports = StepReports()
    /// The parts of the next batch that have arrived.
    private var assembly = BatchAssembly()

    init(
        session: OrchestratorSession, desk: TrainingDesk, publisher: Publisher, retained: RetainedVersions,
        unreplayed: UnreplayedGroups, doubts: DoubtRecord, file: RunFile, log: Logger, first version: PolicyVersion,
        step: UInt64
    ) {
        self.session = session
        self.desk = desk
        self.publisher = publisher
        self.retained = retained
        self.unreplayed = unreplayed
        self.doubts = doubts
        self.file = file
        self.log = log
        self.version = version
        self.step = step
        stableStep = step
        reportedStep = step
    }

    func run() async throws {
        do {
            try await converse()
        } catch is CancellationError {
            log.notice("stopping after step \(step)")
        }
        if !isFinished {
            try await saveLast()
        }
        await session.close("the trainer stops")
        await retained.shutDown()
    }

    private func converse() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.session.watchConnection(patience: .seconds(120)) }
            group.addTask { try await self.session.keepAlive(every: .seconds(3)) }
            group.addTask { try await self.repeatRequest() }
            group.addTask {
                try await self.session.listen {
                    try await self.take($0)
                } answered: {
                    try await self.answered($0)
                }
            }
            // A finished run closes the session, which ends `listen`; a cancelled one ends them all.
            try await group.next()
            group.cancelAll()
        }
    }

    private func take(_ body: Wire.ServerBody) async throws {
        switch body {
        case .welcome(let welcome):
            try await retained.take(welcome)
            // Everything that the orchestrator may have missed; it knows what it has seen before.
            var published = Wire.VersionPublished()
            published.version = version.wire
            try session.send(.versionPublished(published))
            try repeatDoubts()
            if stableStep == step { try reportStable() }
            askForBatch()
        case .batch(let batch): try await train(on: batch)
        case .drain(let drain):
            log.notice("draining: \(drain.reason)")
            try await saveLast()
            isFinished = true
            session.closeWhenAnswered("drained")
        default: break
        }
    }

    /// An answer may have been lost with its connection; asking again replaces the old request.
    ///
    /// Silence is what counts, not the time since the step: a batch of many parts may take minutes on a slow link.
    private func repeatRequest() async throws {
        while true {
            try await Task.sleep(for: .seconds(5))
            if !isTraining, lastHeard.duration(to: .now) > .seconds(10) { askForBatch(part: assembly.nextPart) }
        }
    }

    private func askForBatch(part: UInt32 = 0) {
        guard step < UInt64(file.training.steps) else { return }
        lastHeard = .now
        var request = Wire.BatchRequest()
        request.step = step + 1
        request.part = part
        session.sendOnce(.batchRequest(request))
    }

    private func train(on message: Wire.Batch) async throws {
        // A redelivered batch that was trained on already; the next one has been asked for.
        guard message.step > step else { return }
        lastHeard = .now
        guard message.step == step + 1 else {
            askForBatch()
            return
        }
        let isNews = !assembly.holds(message)
        guard let groups = assembly.add(message) else {
            // A part that came twice has its successor under way.
            if isNews { askForBatch(part: assembly.nextPart) }
            return
        }
        isTraining = true
        defer { isTraining = false }
        let waited = waitingSince.duration(to: .now) / .seconds(1)
        let begun = ContinuousClock.now
        var completed = try await unreplayed.complete(groups, step: message.step)
        let replaying = begun.duration(to: .now) / .seconds(1)
        completed.leaveOut(try await desk.faults(of: completed.batch(step: message.step)))
        // Before the step, because a checkpoint may follow it at once.
        try doubts.keep(completed, ofStep: message.step)
        let batch = completed.batch(step: message.step)
        if batch.groups.isEmpty { log.warning("every group of batch \(message.step) is left out: nothing is learned") }
        // A batch is the same for ever, so one of which nothing is left is dropped, and its step changes nothing.
        let metrics = try await batch.groups.isEmpty ? desk.skip(batch.step) : desk.step(batch)
        step += 1
        let publication = try await publisher.publish(desk, inUse: Set(message.versionsInUse))
        version = publication.version
        var published = Wire.VersionPublished()
        published.version = version.wire
        try session.send(.versionPublished(published))
        let times = [("time/wait_for_batch", waited), ("time/unreplayed", replaying)]
        let named: [Wire.Metric] = (metrics.named + times + (publication.published?.named ?? []))
            .compactMap { name, value in
                guard value.isFinite else { return nil }
                var metric = Wire.Metric()
                metric.name = name
                metric.value = value
                return metric
            }
        try report(completed, step: step, metrics: named)
        reportedStep = step
        waitingSince = .now
        askForBatch()
        if step % UInt64(file.training.checkpointInterval) == 0 || step == UInt64(file.training.steps) {
            try await saveLast()
        }
    }

    private func saveLast() async throws {
        // A step that was interrupted before it was reported is made again.
        guard stableStep < step, reportedStep == step else { return }
        try await desk.checkpoint()
        stableStep = step
        await unreplayed.forget(through: step)
        try reportStable()
    }

    private func report(_ completed: UnreplayedGroups.Completed, step: UInt64, metrics: [Wire.Metric] = []) throws {
        for part in Wire.BatchDone.parts(step: step, metrics: metrics, completed) {
            let message = try session.send(.batchDone(part))
            if completed.isIncomplete { reports.sent(message, about: step) }
        }
    }

    /// Tells again what earlier steps left out, as far as nobody has acknowledged it: the checkpoint that the greeting
    /// names does not say it.
    private func repeatDoubts() throws {
        guard !hasRepeated else { return }
        hasRepeated = true
        for (step, completed) in doubts.unacknowledged(through: stableStep) { try report(completed, step: step) }
    }

    private func answered(_ message: UInt64) throws {
        guard let step = reports.answered(message) else { return }
        doubts.forget(step)
        try tellCheckpoint()
    }

    private func reportStable() throws {
        session.noteStable(step: stableStep)
        reports.wants(checkpoint: stableStep)
        try tellCheckpoint()
    }

    private func tellCheckpoint() throws {
        guard let step = reports.nextCheckpoint() else { return }
        var stable = Wire.CheckpointStable()
        stable.step = step
        try session.send(.checkpointStable(stable))
    }
}

extension TrainingGroup {
    /// The group as the orchestrator sent it.
    init(_ group: Wire.TrainingGroup) {
        self.init(
            prompt: group.promptTokens.map(Int32.init(bitPattern:)),
            rollouts: group.samples.map { sample in
                TrainingRollout(
                    completion: sample.tokens.map(Int32.init(bitPattern:)),
                    behaviorLogProbabilities: sample.behaviourLogProbabilities,
                    reportedLogProbabilities: sample.reportedLogProbabilities, reward: Double(sample.reward))
            }, version: Int(group.version.step))
    }
}
