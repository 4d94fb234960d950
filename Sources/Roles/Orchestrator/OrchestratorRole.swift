import EnvironmentKit
import Foundation
import Identity
import Logging
import Messages
import Orchestration
import Queues
import RunConfiguration
import Sampling
import Shardcast
import Tensors
import Verification

/// The orchestrator of a run: the only process that faces the open network for rollouts.
public struct OrchestratorRole: Sendable {
    private let file: RunFile
    private let directory: RunDirectory
    private let log: Logger

    /// An orchestrator of the run in `file`, whose directory holds its keys.
    public init(_ file: RunFile, log: Logger) {
        self.file = file
        directory = RunDirectory(file.run.resolvedDirectory)
        self.log = log
    }

    /// Serves until the run is finished; a cancelled task drains first.
    ///
    /// - Throws: A ``RoleFailure``.
    public func run() async throws {
        let secrets = try RunSecrets(directory: directory)
        let lab = try NodeKeys.load(path: directory.key("lab"))
        let model = try StartingModel(file.model, of: file.run)
        try MessageCheck(file, model).check()
        let environment = try await EnvironmentRegistry.open(file.environment)
        let rule = try TaskBook.PromptRule(file, model)
        let survey = try PromptSurvey(environment: environment, prompts: model.prompts, rule: rule).check()
        if survey.skipped > 0 {
            log.notice("\(survey.skipped) of \(survey.of) prompts are longer than \(rule.limit) tokens and left out")
        }
        let context = RunContext(
            id: secrets.runID, name: file.run.name, directory: directory, keys: lab, relays: try relays(),
            tasks: TaskBook(environment: environment, prompts: model.prompts, rule: rule, secret: secrets.secret),
            sampling: SamplingParameters(file, stopTokens: model.generation.stopTokens),
            vocabularySize: model.configuration.vocabularySize, arithmeticVersion: ArithmeticVersion.current,
            heartbeatMilliseconds: 3000)
        try context.sampling.validate(
            vocabularySize: context.vocabularySize, allowFilters: file.sampling.allowFilters)

        let database = try RunDatabase(path: directory.database, run: secrets.runID)
        let configuration = try Run.Configuration(file, secrets: secrets)
        let (run, snapshots) = try restore(database, configuration)
        let basis = try JudgingBasis(context, model: file.model.path)
        if let earlier = try database.basis(), run.state.nextLease > 1 {
            try basis.check(against: earlier, of: directory)
        } else {
            try database.keep(basis)
        }
        let rollouts =
            file.telemetry.rollouts ? RolloutRecord(directory: directory, tokenizer: model.prompts.tokenizer) : nil
        let chronicle = try Chronicle(
            directory: directory, tensorBoard: file.telemetry.tensorboard, rollouts: rollouts, log: log)
        var limits = SocketLimits.standard
        limits.connectionsPerAddress = file.admission.connectionsPerAddress
        let socket = try RouterSocket(
            bind: "tcp://\(file.network.host):\(file.network.orchestratorPort)", serverKey: lab.curve, limits: limits
        ) { _, _ in
            // Any key may knock; who it is, and whether it may join, the signed hello decides.
            true
        }
        log.notice("listening", metadata: ["endpoint": "\(socket.endpoint)", "run": "\(secrets.runID)"])
        let policies = AuditPolicies(file.audit.policy)
        let desk = AuditDesk(
            context: context, database: database, model: model.configuration, policies: policies,
            groupID: { configuration.groupID(slot: $0) })
        let mailbox = Mailbox<Work>(capacity: 4096)
        let scoring = ScoringDesk(
            tasks: context.tasks, stopTokens: context.stopTokens,
            timeout: .seconds(file.audit.scoringTimeoutSeconds)
        ) { subject, result in mailbox.putNow(.scored(subject, result)) }
        defer { scoring.stop() }
        let orchestrator = Orchestrator(
            context: context, run: run, database: database, socket: socket, desk: desk, scoring: scoring,
            chronicle: chronicle, snapshots: snapshots,
            helloCheck: HelloCheck(
                run: secrets.runID, kernelDigest: KernelVectors.combinedDigest,
                admitsForeignEngines: policies.foreign != nil), margins: ForeignMargins(try database.margins()),
            log: log)
        // Serving goes on when the task is cancelled: a stopped run first drains, and decides itself when it is over.
        let serving = Task { try await serve(orchestrator, socket, mailbox) }
        try await withTaskCancellationHandler {
            try await serving.value
        } onCancel: {
            mailbox.putNow(.drain(reason: "the operator stopped the run", milliseconds: 10_000))
        }
        await snapshots.stop()
        await socket.closeAndWait()
    }

    private func serve(_ orchestrator: Orchestrator, _ socket: RouterSocket, _ mailbox: Mailbox<Work>) async throws {
        let reason = try await withThrowingTaskGroup(of: String?.self) { group in
            group.addTask { try await orchestrator.work(mailbox) }
            group.addTask {
                for await incoming in socket.incoming { await mailbox.put(.message(incoming)) }
                return nil
            }
            group.addTask {
                for await event in socket.events {
                    if case .left(let peer, let key) = event {
                        await mailbox.put(.disconnected(peer: peer, curveKey: key))
                    }
                }
                return nil
            }
            group.addTask {
                while !mailbox.isClosed {
                    try await Task.sleep(for: .milliseconds(50))
                    await mailbox.put(.tick)
                }
                return nil
            }
            var reason = "stopped"
            while let finished = try await group.next() {
                if let finished {
                    reason = finished
                    break
                }
            }
            mailbox.close()
            group.cancelAll()
            return reason
        }
        log.notice("stopped: \(reason)")
    }

    /// The run as it was left, and who keeps snapshots of it.
    private func restore(_ database: RunDatabase, _ configuration: Run.Configuration) throws -> (Run, SnapshotDesk) {
        let restored = try database.restore()
        for (_, reason) in restored.refused {
            log.warning("a snapshot of the run is not used", metadata: ["reason": "\(reason)"])
        }
        try database.discardSnapshots(restored.refused.map(\.id))
        let run = try Run(configuration: configuration, resuming: restored.state)
        if run.state.factCount > 0 {
            log.notice(
                "continuing the run",
                metadata: [
                    "facts": "\(run.state.factCount)", "snapshot": "\(restored.snapshot ?? 0)",
                    "step": "\(run.state.doneStep)",
                ])
        }
        return (run, SnapshotDesk(database: database, restored: restored, log: log))
    }

    private func relays() throws -> [String] {
        let host = file.network.advertise ?? (file.network.host == "0.0.0.0" ? "127.0.0.1" : file.network.host)
        // The welcome is encrypted and goes to admitted members only.
        let token = try file.weights.relayToken.map { "\(try JoinToken($0).text)@" } ?? ""
        return ["http://\(token)\(host):\(file.network.relayPort)"] + file.network.relays
    }
}

extension SamplingParameters {
    /// What a run file's `[sampling]` table says.
    init(_ file: RunFile, stopTokens: [Int32]) {
        self.init(
            samples: file.sampling.groupSize, maximumTokens: file.sampling.maxTokens,
            temperature: Float(file.sampling.temperature), topK: file.sampling.topK, topP: Float(file.sampling.topP),
            minP: Float(file.sampling.minP), stopTokens: stopTokens)
    }
}

extension AuditPolicies {
    /// What a run file's `audit.policy` means.
    init(_ policy: RunConfiguration.AuditPolicy) {
        let close = Verification.AuditPolicy.toploc(ForeignEnginePolicy())
        switch policy {
        case .exact: self.init(native: .exact)
        case .toploc: self.init(native: close, foreign: close)
        case .both: self.init(native: .exact, foreign: close)
        }
    }
}
