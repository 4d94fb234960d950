import Identity

@testable import Orchestration

/// The trainer: one step per batch, a version after every step, a STABLE checkpoint now and then.
final class SimulatedTrainer: SimulatedMember {
    private var step: UInt64 = 0
    private var work: [(Correspondent) -> Event] = []
    private var current: UInt64?
    private var request: UInt64?
    private var isTraining = false
    private var isNew = true
    private var groups: [Hash256] = []
    // On disk:
    private var stable: UInt64 = 0
    private var newest: PolicyVersion?

    init(_ world: World) {
        super.init(world, key: Scenario.trainerKey, role: .trainer)
    }

    override var resumeStep: UInt64 { stable }

    override func wipe() {
        step = stable
        work = []
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
                work.append { .versionPublished(from: $0, version: newest) }
            } else {
                publish(after: welcome.current?.number ?? 0)
            }
        }
        isNew = false
        goOn()
    }

    private func publish(after known: UInt64 = 0) {
        let version = PolicyVersion(
            number: max(newest?.number ?? 0, known) + 1, weightsHash: SHA256.hash([UInt8(truncatingIfNeeded: step)]),
            step: step)
        newest = version
        work.append { .versionPublished(from: $0, version: version) }
    }

    /// Says what there is to say, one after another, then asks for the next batch.
    private func goOn() {
        guard isWelcome, !isTraining else { return }
        if let current, isUnanswered(current) { return }
        if let next = work.first {
            current = call(next)
            return
        }
        guard step < world.scenario.steps else { return }
        if let request, isUnanswered(request) { return }
        let wanted = step + 1
        request = call { .batchRequested(from: $0, step: wanted) }
    }

    override func acknowledged(_ message: UInt64) {
        guard message == current else { return }
        work.removeFirst()
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
        if made % world.scenario.checkpointInterval == 0 || made == world.scenario.steps {
            stable = made
            work.append { .checkpointStable(from: $0, step: made) }
        }
        publish()
        // What it computes itself does not agree with what cheats report; whoever starts again says so again.
        let (doubted, unavailable) = world.findings(groups)
        if !doubted.isEmpty { world.tell(.groupsDoubted(from: Correspondent(connection), groups: doubted)) }
        if !unavailable.isEmpty {
            let reasons = unavailable.map { ($0, "no weights") }
            world.tell(.groupsUnavailable(from: Correspondent(connection), groups: reasons))
        }
        work.append { .batchDone(from: $0, step: made) }
        goOn()
    }

    override func refused(_ message: UInt64, _ refusal: Refusal) {
        world.fail("the trainer was refused: \(refusal.code): \(refusal.reason)")
    }
}
