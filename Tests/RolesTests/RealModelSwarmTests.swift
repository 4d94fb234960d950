import Foundation
import JSON
import Orchestration
import RunConfiguration
import Synchronization
import Testing
import Transformer

@testable import Roles

/// A real swarm of processes on a directory as Hugging Face publishes it, with chats from a dataset.
@Suite("A swarm on a real model directory", .serialized)
struct RealModelSwarmTests {
    private static let steps = 3

    private func run(_ root: String, environment: String) async throws -> SwarmPlan {
        let toml = """
            [run]
            name = "real"
            directory = "\(root)"

            [model]
            path = "\(Fixture.model)"

            \(environment)

            [sampling]
            max_tokens = 40
            group_size = 4

            [training]
            steps = \(Self.steps)
            groups_per_batch = 4
            checkpoint_interval = 1
            learning_rate = 1e-3

            [swarm]
            workers = 2
            groups_in_flight = 4

            [telemetry]
            tensorboard = false
            """
        let file = try RunFile.load(
            layers: [ConfigurationNode(toml: toml, source: "test")],
            environmentDefaults: EnvironmentRegistry.runFileDefaults)
        let plan = try SwarmPlan(file, existing: .refuse)
        let supervisor = Supervisor(directory: plan.directory, executables: BuiltExecutables.folder) { _ in }
        try await supervisor.run(plan.members)
        return plan
    }

    private func lines(_ path: String) throws -> [JSONValue] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { try JSONValue.parse(String($0)) }
    }

    @Test(
        "Chats of a dataset are generated, audited, accepted and trained on; files of the tokenizer travel",
        .enabled(
            if: BuiltExecutables.areBuilt, "the executables are not built beside the tests: swift build -c release"),
        .timeLimit(.minutes(3)))
    func dataset() async throws {
        let root = NSTemporaryDirectory() + "apus-real-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let plan = try await run(
            root,
            environment: """
                [environment]
                name = "dataset"

                [environment.options]
                path = "\(Fixture.dataset)"
                reward = "edit-similarity"
                chat = true
                """)
        let report = try RunReport(directory: plan.directory, runID: plan.runID)
        #expect(report.steps == UInt64(Self.steps))
        #expect(report.series("mismatch_kl/mean").map(\.value) == Array(repeating: 0, count: Self.steps))
        #expect(report.workers.allSatisfy { $0.rejected == 0 })
        #expect(report.workers.reduce(0) { $0 + $1.accepted } >= UInt64(4 * Self.steps))

        // Prompts are what the template writes; completions end at one of the two stop tokens, or at the maximum.
        let rollouts = try lines(plan.directory.rollouts(step: 1) + "/rollouts.jsonl")
        #expect(rollouts.count == 16)
        let stops = try ModelDirectory(opening: Fixture.model).generation.stopTokens
        #expect(stops.count == 2)
        for line in rollouts {
            let prompt = try #require(line["prompt"]?.string)
            #expect(prompt.hasPrefix("<|im_start|>user\nSort the digits"))
            #expect(prompt.hasSuffix("<|im_end|>\n<|im_start|>assistant\n"))
            let tokens = try #require(line["tokens"]?.array).compactMap { $0.integer.map(Int32.init) }
            let first = tokens.firstIndex(where: stops.contains)
            #expect(first == nil ? tokens.count == 40 : first == tokens.count - 1)
            #expect(line["completion"]?.string?.contains("<|im_end|>") == false)
        }

        // Checkpoints' models and published versions hold the tokenizer's files byte for byte.
        let manager = FileManager.default
        for name in ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json"] {
            let original = manager.contents(atPath: Fixture.model + "/" + name)
            #expect(original != nil)
            #expect(manager.contents(atPath: plan.directory.model + "/" + name) == original, "\(name) of the model")
            let checkpoint = "\(plan.directory.checkpoints)/step_00000\(Self.steps)"
            #expect(manager.contents(atPath: checkpoint + "/" + name) == original, "\(name) of a checkpoint")
            let fetched = plan.directory.cache("worker-1")
            let versions = try manager.contentsOfDirectory(atPath: fetched).filter { $0.hasPrefix("v") }
            let version = try #require(versions.max())
            #expect(manager.contents(atPath: "\(fetched)/\(version)/\(name)") == original, "\(name) of a version")
        }
    }

    @Test(
        "A program that takes its time does not hold up the run",
        .enabled(
            if: BuiltExecutables.areBuilt, "the executables are not built beside the tests: swift build -c release"),
        .timeLimit(.minutes(3)))
    func slowProgram() async throws {
        let root = NSTemporaryDirectory() + "apus-slow-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        let program = Fixture.root + "/Fixtures/slow.py"
        let plan = try await run(
            root,
            environment: """
                [environment]
                name = "process"

                [environment.options]
                command = ["python3", "\(program)"]
                processes = 4
                train_tasks = 16
                held_out_tasks = 1
                """)
        let report = try RunReport(directory: plan.directory, runID: plan.runID)
        #expect(report.steps == UInt64(Self.steps))
        #expect(report.series("mismatch_kl/mean").map(\.value) == Array(repeating: 0, count: Self.steps))
        // While the program sleeps, leases, receipts and audits go on: members are neither lost nor blamed.
        #expect(report.series("audits/lost").allSatisfy { $0.value == 0 })
        let story = try String(contentsOfFile: plan.directory.story, encoding: .utf8)
        #expect(!story.contains("silent for"))
    }
}
