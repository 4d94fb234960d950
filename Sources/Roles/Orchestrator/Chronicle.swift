import Foundation
import Identity
import Logging
import Messages
import Orchestration
import Telemetry
import Verification

/// What people see of a run: its story, its metrics, its rollouts as text.
///
/// Nothing here decides anything; a full disk costs the record, not the run.
final class Chronicle {
    private let story: StoryFile
    private let metrics: MetricsFile
    private let tensorBoard: TensorBoardFile?
    private let rollouts: RolloutRecord?
    private let log: Logger
    private var names: [PublicKey: String] = [:]
    private var engines: [PublicKey: String] = [:]
    private var tally: StepTally
    private var held: [String: UInt64] = [:]
    /// The rollouts that are being written, after all those before.
    private var writing: Task<Void, Never>?

    init(
        directory: RunDirectory, tensorBoard: Bool, rollouts: RolloutRecord?, log: Logger
    ) throws {
        story = try StoryFile(path: directory.story)
        metrics = try MetricsFile(path: directory.metrics, logger: log)
        tally = StepTally(after: metrics.newestRow)
        self.tensorBoard =
            tensorBoard
            ? try TensorBoardFile(
                directory: directory.root, host: ProcessInfo.processInfo.hostName,
                time: Date().timeIntervalSince1970, logger: log) : nil
        self.rollouts = rollouts
        self.log = log
    }

    /// A member's name for people: its own, or the beginning of its key.
    func name(of key: PublicKey) -> String { names[key] ?? String(key.hex.prefix(8)) }

    /// Writes down what the state machine reports.
    func note(_ notice: RunNotice) {
        if case .memberJoined(let key, _, let name) = notice, !name.isEmpty, names.count < 10_000 || names[key] != nil {
            names[key] = name
        }
        if case .memberLeft(let key, _, _) = notice { held[name(of: key)] = nil }
        tally.count(notice)
        if let line = StoryLine(notice, name: name(of:)) {
            story.append(line)
            log.info("\(line.text)", metadata: line.reason.map { ["reason": "\($0)"] } ?? [:])
        } else {
            log.debug("\(notice)")
        }
        if case .memberJoined(let key, .worker, _) = notice, let engine = engines[key] {
            let text =
                "\(name(of: key)) computes with a foreign engine (\(engine)): judged by TOPLOC, every group audited."
            story.append(StoryLine("foreign-engine", text, member: name(of: key), reason: engine))
            log.notice("\(text)")
        }
    }

    /// Notes what a worker computes with, where that is a foreign engine; told when it is admitted.
    func note(engine: String, of key: PublicKey) {
        if engine.isEmpty { engines[key] = nil } else if engines.count < 10_000 { engines[key] = engine }
    }

    /// Notes which version a worker holds, for the screen.
    func note(version: UInt64, heldBy worker: String) {
        guard !worker.isEmpty, held.count < 256 || held[worker] != nil else { return }
        held[worker] = version
    }

    /// Counts what workers say that generation cost them.
    func note(generateSeconds: Double) { tally.generateSeconds += generateSeconds }

    /// Counts how workers say that they went over to new versions.
    func note(adoptions: [Wire.Adoption]) {
        for adoption in adoptions { tally.adoptions.add(adoption) }
    }

    /// Counts what verifiers say that replays cost them.
    func note(verifySeconds: Double) { tally.verifySeconds += verifySeconds }

    /// Counts an accepted group of a foreign engine.
    func note(foreign statistics: AuditStatistics) { tally.foreign.add(statistics) }

    /// Counts a batch when it is sent.
    func note(batch: BatchDesk.Outline) { tally.begin(batch) }

    /// Has the rollouts of a batch's part written down, beside the orchestrator's turn.
    func note(part: Wire.Batch) {
        guard let rollouts else { return }
        let before = writing
        writing = Task.detached { [log] in
            await before?.value
            do {
                try rollouts.write(part)
            } catch {
                log.warning("rollouts not written", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// Waits until everything that was noted is written.
    nonisolated(nonsending) func finish() async { await writing?.value }

    /// Whether a step's row is still to be written and lacks its batch, which was sent before this process began.
    func missesBatch(of step: UInt64) -> Bool { tally.missesBatch(of: step) }

    /// Whether a step's row is still to be written.
    func awaitsRow(of step: UInt64) -> Bool { tally.awaitsRow(of: step) }

    /// Counts a batch that an earlier process sent.
    func recall(_ batch: BatchDesk.Outline, staleness: (mean: Double, maximum: UInt64)) {
        tally.begin(batch)
        tally.note(staleness: staleness.mean, staleness.maximum, of: batch.step)
    }

    /// Completes a step's row with what the trainer measured.
    func note(trainerMetrics: [(name: String, value: Double)], step: UInt64) {
        guard var row = tally.finish(step: step, time: Date().timeIntervalSince1970) else { return }
        // What both count (tokens, throughput, reward) is the whole run's here, and one process's there.
        for (name, value) in trainerMetrics where row[name] == nil { row[name] = value }
        do {
            try metrics.append(row)
            try tensorBoard?.append(row)
        } catch {
            log.warning("metrics not written", metadata: ["reason": "\(error)"])
        }
        var values: [String: Double] = [:]
        for (name, value) in row.values where value.isFinite { values[name] = value }
        for (worker, version) in held { values["version/\(worker)"] = Double(version) }
        story.append(StoryLine("step", "Step \(step) made.", step: step, values: values))
    }
}
