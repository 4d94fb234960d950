import Foundation
import Glibc
import Identity
import RunConfiguration
import Shardcast
import Telemetry
import Tensors
import Testing
import Transformer

@testable import Roles

/// A whole swarm that trains an adapter: what is broadcast is a thirtieth of a tiny model, and every audit holds.
@Suite("A swarm that trains an adapter", .serialized)
struct AdapterSwarmTests {
    private static let steps = 12

    private func file(_ root: String) throws -> RunFile {
        var file = try RunFile.load(
            layers: [BuiltInRunFiles.demo(steps: Self.steps, directory: root, cheater: false)],
            environmentDefaults: EnvironmentRegistry.runFileDefaults)
        file.training.groupsPerBatch = 8
        file.training.checkpointInterval = 4
        file.training.learningRate = 4e-3
        file.training.lora.rank = 4
        file.training.lora.alpha = 8
        file.training.lora.targetModules = ["q_proj", "v_proj"]
        file.sampling.groupSize = 4
        // Enough that rewards differ within a group; equal rewards would teach nothing, and every version would be the base.
        file.warmUp.steps = 300
        file.swarm.workers = 2
        file.swarm.groupsInFlight = 4
        file.weights.keepVersions = 3
        file.telemetry.tensorboard = false
        return file
    }

    @Test(
        "Versions are adapters, the trainer is killed once, every audit is accepted and every bit agrees",
        .enabled(
            if: BuiltExecutables.areBuilt, "the executables are not built beside the tests: swift build -c release"),
        .timeLimit(.minutes(3)))
    func wholeSwarm() async throws {
        let root = NSTemporaryDirectory() + "apus-lora-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let plan = try SwarmPlan(try file(root), existing: .refuse)
        let supervisor = Supervisor(directory: plan.directory, executables: BuiltExecutables.folder) { _ in }
        let killer = Task {
            while Self.rows(plan.directory) < 6 { try await Task.sleep(for: .milliseconds(5)) }
            while true {
                if let process = supervisor.processIDs["trainer"], Glibc.kill(process, SIGKILL) == 0 { break }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        try await supervisor.run(plan.members)
        killer.cancel()

        let report = try RunReport(directory: plan.directory, runID: plan.runID)
        #expect(report.steps == UInt64(Self.steps))
        #expect(report.series("mismatch_kl/mean").map(\.value) == Array(repeating: 0, count: Self.steps))
        #expect(report.series("optim/applied").contains { $0.value == 1 })
        try checkVersions(plan)
        try checkExports(plan)
    }

    /// The base stays beside the newest adapters, and an adapter is small.
    private func checkVersions(_ plan: SwarmPlan) throws {
        let lab = try NodeKeys.load(path: plan.directory.key("lab"))
        let origin = try OriginDirectory(path: plan.directory.origin, run: plan.runID, key: lab.signing)
        let manifests = try origin.versions.compactMap { try origin.manifest($0) }
        let base = try #require(manifests.first)
        #expect(base.version == 0 && base.kind == .full && manifests.count == 4)
        for manifest in manifests.dropFirst() {
            #expect(manifest.kind == .adapter && manifest.base == 0 && manifest.baseWeightsHash == base.weightsHash)
            #expect(manifest.weightsHash != base.weightsHash)
            #expect(manifest.totalBytes * 8 < base.totalBytes, "\(manifest.totalBytes) of \(base.totalBytes) bytes")
        }
    }

    /// What a lab takes home: an adapter for the model that the run started from, and the merged model.
    private func checkExports(_ plan: SwarmPlan) throws {
        let desk = TrainingStart(seed: 0, kernels: try .preferred(), pool: .init(threads: 1))
        let base = try ModelDirectory(opening: plan.directory.startModel)
        let adapter = try AdapterDirectory(opening: plan.directory.adapter)
        #expect(adapter.configuration.rank == 4 && adapter.configuration.baseName == plan.directory.startModel)
        let merged = try base.weights(adapter: adapter, kernels: desk.kernels, pool: desk.pool)
        let model = try ModelDirectory(opening: plan.directory.model).weights(kernels: desk.kernels, pool: desk.pool)
        #expect(merged.weightsHash == model.weightsHash)
    }

    private static func rows(_ directory: RunDirectory) -> Int {
        FileManager.default.contents(atPath: directory.metrics)?.count { $0 == UInt8(ascii: "\n") } ?? 0
    }
}
