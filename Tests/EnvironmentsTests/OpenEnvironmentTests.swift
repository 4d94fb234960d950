import EnvironmentKit
import Foundation
import Testing

@testable import Environments

struct OpenEnvironmentTests {
    @Test(arguments: allEnvironments.map { $0.id })
    func opensByName(_ id: String) async throws {
        #expect(try await openEnvironment(named: id).id == id)
    }

    @Test func namesTheKnownOnes() async {
        let error = await #expect(throws: EnvironmentError.self) { try await openEnvironment(named: "digit-sorts") }
        #expect(error?.description.contains("digit-sort, ") == true && error?.description.contains("process") == true)
    }

    @Test func aDatasetFindsRegisteredRewards() async throws {
        let path = NSTemporaryDirectory() + "apus-open-\(UUID().uuidString).jsonl"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let rows = (0..<40).map { "{\"prompt\": \"\($0)+1=\", \"answer\": \($0 + 1)}\n" }.joined()
        try rows.write(toFile: path, atomically: true, encoding: .utf8)
        let environment = try await openEnvironment(
            named: "dataset", options: ["path": .string(path), "reward": "numeric-match"])
        let task = try environment.task(seed: 0, index: 0, split: .train)
        let completion = Array("it is \(task.answer ?? "")".utf8)
        #expect(try await environment.score(completion: completion, finished: true, of: task) == 1)
        await #expect(throws: EnvironmentError.self) {
            try await openEnvironment(named: "dataset", options: ["path": .string(path), "reward": "unknown"])
        }
    }

    /// The defaults of every built-in environment are kept as files, which the run configuration's tests load.
    ///
    /// To write them anew: `APUS_WRITE_DOCS=1 swift test --filter OpenEnvironmentTests`.
    @Test(arguments: allEnvironments.map { $0.id })
    func defaultsAreTheOnesThatRunFilesAreTestedWith(_ id: String) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "RunConfigurationTests/Fixtures/defaults")
        let file = folder.appending(path: "\(id).toml")
        let text = try runFileDefaults(ofEnvironmentNamed: id)
        if ProcessInfo.processInfo.environment["APUS_WRITE_DOCS"] != nil {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        } else {
            #expect(try String(contentsOf: file, encoding: .utf8) == text)
        }
    }

    @Test func defaultsOfDatasetsAndProgramsAreTheLimit() throws {
        #expect(
            try runFileDefaults(ofEnvironmentNamed: "process", options: ["max_tokens": 9])
                == "[sampling]\nmax_tokens = 9\n")
        #expect(try runFileDefaults(ofEnvironmentNamed: "dataset") == "")
        #expect(throws: EnvironmentError.self) { try runFileDefaults(ofEnvironmentNamed: "unknown") }
    }
}
