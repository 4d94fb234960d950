import Foundation
import Glibc
import Identity
import Ledger
import Orchestration
import RunConfiguration
import Synchronization
import Telemetry
import Testing

@testable import Roles

/// A real swarm of processes, each member of which is killed once while it works.
@Suite("Killed members", .serialized)
struct KilledMembersTests {
    private static let steps = 60

    private func file(_ root: String) throws -> RunFile {
        var file = try RunFile.load(
            layers: [BuiltInRunFiles.demo(steps: Self.steps, directory: root, cheater: false)],
            environmentDefaults: EnvironmentRegistry.runFileDefaults)
        file.training.groupsPerBatch = 4
        file.training.checkpointInterval = 3
        file.sampling.groupSize = 2
        file.warmUp.steps = 10
        file.swarm.workers = 2
        file.swarm.groupsInFlight = 4
        file.telemetry.tensorboard = false
        return file
    }

    @Test(
        "Each member is killed once; nothing acknowledged is lost, nothing is credited twice",
        .enabled(
            if: BuiltExecutables.areBuilt, "the executables are not built beside the tests: swift build -c release"),
        .timeLimit(.minutes(3)), arguments: AuditMode.allCases)
    func everyMember(_ mode: AuditMode) async throws {
        let root = NSTemporaryDirectory() + "apus-kill-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        var file = try file(root)
        file.audit.mode = mode
        let plan = try SwarmPlan(file, existing: .refuse)
        let deaths = Mutex<[String]>([])
        let supervisor = Supervisor(directory: plan.directory, executables: BuiltExecutables.folder) { notice in
            if case .died(let member, _, _) = notice { deaths.withLock { $0.append(member.name) } }
        }
        let victims = ["worker-1", "verifier-1", "trainer", "relay", "orchestrator"]
        let killer = Task {
            var step = 1
            for victim in victims {
                while Self.rows(plan.directory) < step { try await Task.sleep(for: .milliseconds(5)) }
                while true {
                    if let process = supervisor.processIDs[victim], Glibc.kill(process, SIGKILL) == 0 { break }
                    try await Task.sleep(for: .milliseconds(5))
                }
                step = Self.rows(plan.directory) + 2
            }
        }
        try await supervisor.run(plan.members)
        killer.cancel()
        #expect(deaths.withLock { Set($0) }.isSuperset(of: victims), "the run was over before all were killed")
        try check(plan)
    }

    private func check(_ plan: SwarmPlan) throws {
        let database = try RunDatabase(path: plan.directory.database, run: plan.runID)
        var facts: [Fact] = []
        try database.forEachFact { facts.append($0) }
        let audit = JournalAudit(
            facts, groupsPerBatch: plan.file.training.groupsPerBatch,
            maximumStaleness: UInt64(plan.file.training.maxStaleness))
        #expect(audit.violations.isEmpty)
        #expect(audit.batches == UInt64(Self.steps))
        let report = try RunReport(directory: plan.directory, runID: plan.runID)
        #expect(report.steps == UInt64(Self.steps))
        #expect(report.metrics.compactMap { $0["step"] } == (1...Self.steps).map(Double.init))
        // The step whose report died with the trainer, after its checkpoint, has a row without the trainer's numbers.
        let mismatches = report.series("mismatch_kl/mean").map(\.value)
        #expect(mismatches.count >= Self.steps - 1 && mismatches.allSatisfy { $0 == 0 })
        #expect(report.series("reward/mean").count == Self.steps)

        // Credit: exactly what the accepted groups are worth, once each.
        let ledger = try Ledger.verify(plan.directory.database)
        var earned: Int64 = 0
        var promised: [Hash256: Int64] = [:]
        for fact in facts {
            switch fact {
            case .groupAccepted(_, _, _, let flops, _, _): earned += flops
            case .groupScored(let group, _, let credit): promised[group] = credit
            case .groupVested(let group, _, _, _): earned += promised[group] ?? 0
            default: break
            }
        }
        #expect(promised.isEmpty == (plan.file.audit.mode == .all), "no group was spared")
        let credited = report.workers.reduce(0) { $0 + $1.credit + $1.stake }
        var granted: Int64 = 0
        for case .invitationUsed(_, _, let stake) in facts { granted += stake }
        #expect(credited == earned + granted && ledger.burned == 0)
    }

    private static func rows(_ directory: RunDirectory) -> Int {
        FileManager.default.contents(atPath: directory.metrics)?.count { $0 == UInt8(ascii: "\n") } ?? 0
    }
}
