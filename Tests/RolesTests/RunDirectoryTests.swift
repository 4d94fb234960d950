import Foundation
import RunConfiguration
import Testing

@testable import Roles

@Suite("Run directories")
struct RunDirectoryTests {
    private let root = NSTemporaryDirectory() + "apus-run-\(UUID().uuidString)"

    private func file() throws -> RunFile {
        try RunFile.load(
            layers: [BuiltInRunFiles.demo(steps: 1, directory: root)],
            environmentDefaults: EnvironmentRegistry.runFileDefaults)
    }

    private func code(_ body: () throws -> Void) -> RoleFailure.Kind? {
        do {
            try body()
            return nil
        } catch let failure as RoleFailure {
            return failure.kind
        } catch {
            return nil
        }
    }

    @Test("Relative paths are made absolute, and steps sort by name")
    func paths() {
        let directory = RunDirectory("runs/x")
        #expect(directory.root == FileManager.default.currentDirectoryPath + "/runs/x")
        #expect(RunDirectory("/a").rollouts(step: 7) == "/a/rollouts/step_000007")
        #expect(RunDirectory("/a").rollouts(step: 12_345_678) == "/a/rollouts/step_12345678")
        #expect(RunDirectory("/a").key("lab") == "/a/keys/lab.key")
    }

    @Test("A used directory is refused, resumed with the same identity, or thrown away")
    func claims() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        #expect(code { _ = try SwarmPlan(try file(), existing: .resume) } == .usage)
        let first = try SwarmPlan(try file(), existing: .refuse).runID
        #expect(code { _ = try SwarmPlan(try file(), existing: .refuse) } == .usage)
        #expect(try SwarmPlan(try file(), existing: .resume).runID == first)
        #expect(try SwarmPlan(try file(), existing: .clean).runID != first)
    }

    @Test("A run goes on under the settings that its groups in flight are judged by, and under no others")
    func resumedSettings() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        var dated = try file()
        dated.run.date = "2026-01-02"
        _ = try SwarmPlan(dated, existing: .refuse)
        // The day is the run's, whatever today is.
        #expect(try SwarmPlan(try file(), existing: .resume).file.run.date == "2026-01-02")
        func refusal(_ change: (inout RunFile) -> Void) throws -> String? {
            var file = try file()
            change(&file)
            do {
                _ = try SwarmPlan(file, existing: .resume)
                return nil
            } catch let failure as RoleFailure {
                return failure.kind == .usage ? failure.description : nil
            }
        }
        let both = try #require(
            try refusal {
                $0.sampling.temperature += 0.25
                $0.audit.policy = .both
            })
        #expect(both.contains("sampling.temperature") && both.contains("audit.policy") && both.contains("run.json"))
        #expect(
            try refusal {
                $0.environment.options = ConfigurationNode(.table(["difficulty": ConfigurationNode(.integer(9))]))
            } != nil)
        #expect(try refusal { $0.run.date = "2026-01-03" } != nil)
        #expect(try refusal { $0.environment.maxPromptTokens = 8 } != nil)
        // What leased groups are not judged by, and what the orchestrator itself advises.
        #expect(
            try refusal {
                $0.training.steps += 5
                $0.telemetry.rollouts.toggle()
                $0.environment.longPrompts = .skip
            } == nil)
        #expect(try refusal { $0.environment.longPrompts = .refuse } != nil)
        // A run that was refused goes on as it was.
        #expect(try SwarmPlan(RunFile.load(files: [root + "/run.json"]), existing: .resume).file.training.steps == 6)
    }

    @Test("A token of the relay goes into a file of its own, and the relay is told to ask for it")
    func relayToken() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        var changed = try file()
        changed.weights.relayToken = "too short"
        #expect(throws: (any Error).self) { _ = try SwarmPlan(changed, existing: .clean) }
        changed.weights.relayToken = "a-token-of-this-run"
        let plan = try SwarmPlan(changed, existing: .clean)
        let path = plan.directory.relayTokens
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "a-token-of-this-run\n")
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let relay = try #require(plan.members.first { $0.name == "relay" })
        #expect(Array(relay.arguments.drop { $0 != "--tokens" }.prefix(2)) == ["--tokens", path])
        #expect(!relay.arguments.contains { $0.contains("a-token-of-this-run") })
    }

    @Test("Two supervisors never share a directory, whatever they want with it")
    func locks() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let plan = try SwarmPlan(try file(), existing: .refuse)
        #expect(code { _ = try SwarmPlan(try file(), existing: .resume) } == .usage)
        #expect(code { _ = try SwarmPlan(try file(), existing: .clean) } == .usage)
        #expect(FileManager.default.fileExists(atPath: plan.directory.runFile))
    }

    @Test("A supervisor waits for the members of an earlier one")
    func members() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let directory = try SwarmPlan(try file(), existing: .refuse).directory
        var members = [RunLock.share(directory.membersLock), RunLock.share(directory.membersLock)]
        #expect(members.allSatisfy { $0 != nil })
        #expect(code { _ = try RunLock.supervise(directory, patience: 0) } == .fault)
        members.removeLast()
        #expect(code { _ = try RunLock.supervise(directory, patience: 0) } == .fault)
        members.removeAll()
        #expect(code { _ = try RunLock.supervise(directory, patience: 0) } == nil)
    }
}
