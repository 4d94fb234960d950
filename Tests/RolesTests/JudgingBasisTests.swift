import EnvironmentKit
import Foundation
import Identity
import JSON
import Logging
import Orchestration
import RunConfiguration
import Sampling
import Testing

@testable import Roles

@Suite("Files that are edited behind unchanged settings", .timeLimit(.minutes(1)))
struct JudgingBasisTests {
    private let root = NSTemporaryDirectory() + "apus-basis-\(UUID().uuidString)"

    private func basis(_ row: String, stopTokens: [Int32] = [2], tokenizer: String = "{}") throws -> JudgingBasis {
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        let rows = (0..<40).map { #"{"prompt":"What is \#($0)?","answer":"\#($0)"}"# } + [row]
        try (rows.joined(separator: "\n") + "\n").write(
            toFile: root + "/data.jsonl", atomically: true, encoding: .utf8)
        try tokenizer.write(toFile: root + "/tokenizer.json", atomically: true, encoding: .utf8)
        let environment = try DatasetEnvironment(options: ["path": .string(root + "/data.jsonl")])
        let sampling = SamplingParameters(
            samples: 2, maximumTokens: 4, temperature: 1, topK: 0, topP: 0, minP: 0, stopTokens: stopTokens)
        let context = RunContext(
            id: .zero, name: "r", directory: RunDirectory(root), keys: NodeKeys(), relays: [],
            tasks: TaskBook(
                environment: environment, prompts: try Fixture.encoder(), rule: .init(limit: 100, skipsLong: false),
                secret: [1]),
            sampling: sampling, vocabularySize: 300, arithmeticVersion: 1, heartbeatMilliseconds: 1)
        return try JudgingBasis(context, model: root)
    }

    @Test("An edited dataset, tokenizer or list of stop tokens is named and refused; the same files are not")
    func edited() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let path = root + ".sqlite"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let database = try RunDatabase(path: path, run: .zero)
        #expect(try database.basis() == nil)
        let row = #"{"prompt":"And?","answer":"1"}"#
        try database.keep(try basis(row))
        let earlier = try #require(try database.basis())
        #expect(throws: Never.self) { try earlier.check(against: earlier, of: RunDirectory(root)) }
        #expect(try basis(row) == earlier)
        let dataset = try basis(#"{"prompt":"And?","answer":"2"}"#).differences(from: earlier)
        #expect(dataset.contains("the environment's tasks"))
        #expect(try basis(row, stopTokens: [3]).differences(from: earlier) == ["sampling"])
        let tokenizer = try basis(row, tokenizer: "{ }")
        #expect(tokenizer.differences(from: earlier) == ["tokenizer.json"])
        let failure = #expect(throws: RoleFailure.self) {
            try tokenizer.check(against: earlier, of: RunDirectory(root))
        }
        #expect(failure?.description.contains("tokenizer.json") == true && failure?.kind == .badInput)
        try database.keep(tokenizer)
        #expect(try database.basis() == tokenizer)
    }

    @Test("An orchestrator with leases out does not start under another basis than it began with")
    func refusesToStart() async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let file = try RunFile.load(
            layers: [BuiltInRunFiles.demo(steps: 1, directory: root)],
            environmentDefaults: EnvironmentRegistry.runFileDefaults)
        let plan = try SwarmPlan(file, existing: .refuse)
        do {
            let database = try RunDatabase(path: plan.directory.database, run: plan.runID)
            var turn = RunDatabase.Turn()
            let version = PolicyVersion(number: 1, weightsHash: .zero, step: 0)
            turn.facts = [
                .versionPublished(version: version),
                .leaseGranted(
                    lease: 1, slot: 0, attempt: 0, worker: TestKeys.worker, version: 1, engine: nil),
            ]
            try database.commit(turn)
            try database.keep(JudgingBasis(hashes: ["prompts": .zero]))
        }
        let log = Logger(label: "orchestrator") { _ in SwiftLogNoOpLogHandler() }
        let failure = await #expect(throws: RoleFailure.self) {
            try await OrchestratorRole(plan.file, log: log).run()
        }
        #expect(failure?.kind == .badInput && failure?.description.contains("prompts") == true)
    }
}
