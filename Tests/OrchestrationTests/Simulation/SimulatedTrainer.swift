import Identity

@testable import Orchestration

/// The trainer: one step per batch, a version after every step, a STABLE checkpoint now and then.
final class SimulatedTrainer: SimulatedMember {
    private var step: UInt64 = 0
    private var work: [Statement] = []
    private var current: UInt64?
    private var request: UInt64?
    private var isTraining = false
    private var isNew = true
    private var groups: [Hash256] = []
    private var sinceCheckpoint: [Hash256] = []
    // On disk:
    private var unheard: [UInt64: (doubted: [Hash256], unavailable: [Hash256])] = [:]
    private var stable: UInt64 = 0
    private var newest: PolicyVersion?

    /// One message: its events, and the step about whose groups it says something.
    private struct Statement {
        var step: UInt64?
        let events: (Correspondent) -> [Event]
    }

    init(_ world: World) {
        super.init(world, key: Scenario.trainerKey, role: .trainer)
    }

    override var resumeStep: UInt64 { stable }

    override func wipe() {
        step = stable
        work = []
        sinceCheckpoint = []
        current = nil
        request = nil
        isTraining = false
        isNew = true
    }

    override func welcomed(_ welcome: Welcome) {
        request = nil
        current = nil
        if isNew {
            // Whoever starts makes sure that its weights are published, and that the orchestrator knows it.
            if let newest, newest.step >= step, !world.scenario.publishesRollbacks {
                say { [.versionPublished(from: $0, version: newest)] }
            } else {
                publish(after: welcome.current?.number ?? 0)
            }
            // A step beyond the checkpoint is made again.
            unheard = unheard.filter { $0.key <= stable }
            for step in unheard.keys.sorted() { sayDone(step) }
            if stable > 0 { sayStable() }
        }
        isNew = false
        goOn()
    }

    private func publish(after known: UInt64 = 0) {
        let version = PolicyVersion(
            number: max(newest?.number ?? 0, known) + 1, weightsHash: SHA256.hash([UInt8(truncatingIfNeeded: step)]),
            step: step)
        newest = version
        say { [.versionPublished(from: $0, version: version)] }
    }

    private func say(about step: UInt64? = nil, _ events: @escaping (Correspondent) -> [Event]) {
        work.append(Statement(step: step, events: events))
    }

    private func sayStable() {
        let step = stable
        say { [.checkpointStable(from: $0, step: step)] }
    }

    /// What a step came to is one message.
    private func sayDone(_ step: UInt64) {
        let (doubted, unavailable) = unheard[step] ?? ([], [])
        say(about: step) { from in
            var events: [Event] = []
            if !doubted.isEmpty { events.append(.groupsDoubted(from: from, groups: doubted)) }
            if !unavailable.isEmpty {
                events.append(.groupsUnavailable(from: from, groups: unavailable.map { ($0, "no weights") }))
            }
            return events + [.batchDone(from: from, step: step)]
        }
    }

    /// Says what there is to say, one after another, then asks for the next batch.
    private func goOn() {
        guard isWelcome, !isTraining else { return }
        if let current, isUnanswered(current) { return }
        if let next = work.first {
            current = callAll(next.events)
            return
        }
        guard step < world.scenario.steps else { return }
        if let request, isUnanswered(request) { return }
        let wanted = step + 1
        request = call { .batchRequested(from: $0, step: wanted) }
    }

    override func acknowledged(_ message: UInt64) {
        guard message == current else { return }
        if let step = work.removeFirst().step { unheard[step] = nil }
        current = nil
        goOn()
    }

    override func take(_ action: Action) {
        guard case .sendBatch(_, let batch, let groups) = action else { return }
        world.noteBatch(batch, groups)
        guard batch == step + 1, !isTraining else { return }
        isTraining = true
        self.groups = groups
        let now = life
        world.after(20 + world.random.below(60)) { [weak self] in
            guard let self, self.life == now, self.isUp, !self.hasLeft else { return }
            self.isTraining = false
            self.makeStep()
        }
    }

    private func makeStep() {
        step += 1
        let made = step
        publish()
        // What it computes itself does not agree with what cheats report.
        let found = world.findings(groups)
        unheard[made] = found.doubted.isEmpty && found.unavailable.isEmpty ? nil : found
        sinceCheckpoint += found.doubted + found.unavailable
        sayDone(made)
        if made % world.scenario.checkpointInterval == 0 || made == world.scenario.steps {
            stable = made
            world.noteLasting(sinceCheckpoint)
            sinceCheckpoint = []
            sayStable()
        }
        goOn()
    }

    override func refused(_ message: UInt64, _ refusal: Refusal) {
        world.fail("the trainer was refused: \(refusal.code): \(refusal.reason)")
    }
}
