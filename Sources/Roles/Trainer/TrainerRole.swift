import EnvironmentKit
import Foundation
import Identity
import Logging
import Messages
import Orchestration
import RunConfiguration
import Sampling
import Shardcast
import Tensors
import Training
import Verification

/// The trainer of a run: one optimizer step per batch, a version per step, checkpoints in between.
///
/// It holds no state that a checkpoint does not: killed at any moment, it goes on from the newest STABLE checkpoint and
/// is sent the same batches again.
public struct TrainerRole: Sendable {
    private let file: RunFile
    private let directory: RunDirectory
    private let kernels: Kernels
    private let log: Logger

    /// A trainer of the run in `file`, whose directory holds its keys and the join ticket.
    public init(_ file: RunFile, kernels: Kernels, log: Logger) {
        self.file = file
        directory = RunDirectory(file.run.resolvedDirectory)
        self.kernels = kernels
        self.log = log
    }

    /// Trains until the run is finished or the task is cancelled.
    public func run() async throws {
        let ticket = try JoinTicket(reading: directory.ticket)
        guard let run = Hash256(ticket.run) else {
            throw RoleFailure(.badInput, "\(directory.ticket) names no run.", advice: "Start the run again.")
        }
        // Demonstrations are all that a trainer wants of an environment; a program is not started for nothing.
        let environment = file.warmUp.steps > 0 ? try await EnvironmentRegistry.open(file.environment) : nil
        let model = try StartingModel(file.model, of: file.run)
        let story = try StoryFile(path: directory.story)
        let desk = try TrainingDesk(
            file: file, environment: environment, model: model, directory: directory, kernels: kernels)
        let began = ContinuousClock.now
        let start = try await desk.begin { progress, steps in
            story.append(
                StoryLine(
                    "warm-up", "Warm-up step \(progress.step) of \(steps).", step: UInt64(progress.step),
                    values: [
                        "loss": progress.loss, "steps": Double(steps),
                        "seconds": began.duration(to: .now) / .seconds(1),
                    ]))
        }
        for sentence in start.ignored { log.warning("\(sentence)") }

        let lab = try NodeKeys.load(path: directory.key("lab"))
        let publisher = try Publisher(
            directory: directory, run: run, key: lab.signing, file: file)
        let version = try await publisher.publish(desk).version
        let keys = try NodeKeys.load(path: directory.key("trainer"))
        let session = try OrchestratorSession(
            SessionIdentity(
                ticket: ticket, keys: keys, role: .trainer, name: "trainer", kernels: kernels,
                resumeStep: start.step),
            log: log)
        let retained = RetainedVersions(
            run: run, cache: directory.cache("trainer"), threads: file.swarm.trainerThreads, kernels: kernels, log: log)
        let unreplayed = UnreplayedGroups(
            run: run, sampling: SamplingParameters(file, stopTokens: model.generation.stopTokens),
            policies: AuditPolicies(file.audit.policy),
            source: PatientSource(retained, log: log) { publisher.has($0) },
            record: BehaviourRecord(folder: directory.behaviours, log: log), log: log)
        let loop = TrainingLoop(
            session: session, desk: desk, publisher: publisher, retained: retained, unreplayed: unreplayed,
            doubts: DoubtRecord(folder: directory.behaviours, log: log), file: file, log: log, first: version,
            step: start.step)
        try await loop.run()
    }
}
