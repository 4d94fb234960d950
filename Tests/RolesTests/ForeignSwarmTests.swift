import Foundation
import Identity
import JSON
import Logging
import Messages
import RunConfiguration
import Tensors
import Testing

@testable import Roles

/// A whole swarm whose only worker has a completions server of another arithmetic generate.
@Suite("A swarm with a foreign engine", .serialized)
struct ForeignSwarmTests {
    private static let steps = 4

    private func file(_ root: String, policy: RunConfiguration.AuditPolicy) throws -> RunFile {
        var file = try RunFile.load(
            layers: [BuiltInRunFiles.demo(steps: Self.steps, directory: root, cheater: false)],
            environmentDefaults: EnvironmentRegistry.runFileDefaults)
        file.audit.policy = policy
        file.training.groupsPerBatch = 4
        file.training.checkpointInterval = 1
        file.sampling.groupSize = 4
        file.warmUp.steps = 40
        file.swarm.workers = 0
        file.admission.mode = .open
        file.telemetry.tensorboard = false
        return file
    }

    private func worker(_ plan: SwarmPlan, _ server: SimulatedServer) throws -> WorkerRole {
        var settings = WorkerRole.Settings(
            name: "gpu", threads: 1, groups: 4, cacheBytes: 1 << 24, cache: plan.directory.cache("gpu"))
        settings.foreign = try server.settings(requests: 2)
        try FileManager.default.createDirectory(atPath: settings.cache, withIntermediateDirectories: true)
        return WorkerRole(
            ticket: try JoinTicket(reading: plan.directory.ticket), keys: NodeKeys(), settings: settings,
            kernels: try .preferred(), log: Logger(label: "gpu") { _ in SwiftLogNoOpLogHandler() })
    }

    private func lines(_ path: String) throws -> [JSONValue] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { try JSONValue.parse(String($0)) }
    }

    @Test(
        "Under toploc a worker that declares no engine is added up like one that does",
        .enabled(
            if: BuiltExecutables.areBuilt, "the executables are not built beside the tests: swift build -c release"),
        .timeLimit(.minutes(3)))
    func undeclared() async throws {
        let root = NSTemporaryDirectory() + "apus-undeclared-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        var file = try file(root, policy: .toploc)
        file.swarm.workers = 1
        let plan = try SwarmPlan(file, existing: .refuse)
        try await Supervisor(directory: plan.directory, executables: BuiltExecutables.folder) { _ in }.run(plan.members)
        let report = try RunReport(directory: plan.directory, runID: plan.runID)
        #expect(report.steps == UInt64(Self.steps) && report.workers.allSatisfy { $0.rejected == 0 })
        #expect(report.series("rollouts/foreign").map(\.value).reduce(0, +) >= Double(4 * Self.steps))
        #expect(report.series("foreign/mant_err_mean_max").allSatisfy { $0.value == 0 })
        let margins = try RunDatabase(path: plan.directory.database, run: plan.runID).margins()
        #expect(margins.count == 1 && margins.values.allSatisfy { $0.values.reduce(0) { $0 + $1.tokens } > 0 })
    }

    @Test(
        "Its groups are audited, accepted by TOPLOC, trained on and shown as what they are",
        .enabled(
            if: BuiltExecutables.areBuilt, "the executables are not built beside the tests: swift build -c release"),
        .timeLimit(.minutes(3)))
    func wholeSwarm() async throws {
        let root = NSTemporaryDirectory() + "apus-foreign-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let plan = try SwarmPlan(try file(root, policy: .both), existing: .refuse)
        let server = try await SimulatedServer(SimulatedEngine(noise: 0.01))
        let supervisor = Supervisor(directory: plan.directory, executables: BuiltExecutables.folder) { _ in }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await supervisor.run(plan.members)
                return true
            }
            // A worker that cannot work ends the test, instead of leaving the run to wait for it.
            group.addTask {
                try await worker(plan, server).run()
                return false
            }
            while let isOver = try await group.next(), !isOver {}
            group.cancelAll()
        }

        let report = try RunReport(directory: plan.directory, runID: plan.runID)
        #expect(report.steps == UInt64(Self.steps))
        #expect(report.workers.allSatisfy { $0.rejected == 0 })
        let foreign = report.series("rollouts/foreign").map(\.value)
        #expect(foreign.reduce(0, +) >= Double(4 * Self.steps))
        #expect(report.series("foreign/mant_err_mean_max").allSatisfy { $0.value > 0 && $0.value < 10 })
        let story = try lines(plan.directory.story)
        #expect(story.contains { $0["kind"]?.string == "foreign-engine" && $0["reason"]?.string == "openai" })
        let rollouts = try lines(plan.directory.rollouts(step: 1) + "/rollouts.jsonl")
        #expect(rollouts.count == 16 && rollouts.allSatisfy { $0["engine"]?.string == "openai" })
        #expect(await server.engine.loaded.count >= 2, "versions are loaded as they are published")

        // What the lab keeps of an accepted group is enough to repeat its judgement.
        let archive = EvidenceArchive(database: plan.directory.database)
        if let entry = try archive.entries().first(where: { $0.check == nil }) {
            let bundle = try archive.bundle(group: entry.group.hex)
            #expect(bundle.terms.engine == "openai" && bundle.hasValidSeal == true)
        }
    }
}
