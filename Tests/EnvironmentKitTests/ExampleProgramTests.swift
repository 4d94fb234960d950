import Foundation
import Testing

@testable import EnvironmentKit

/// The program of the documentation works as it is printed.
struct ExampleProgramTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static let hasPython = ["/usr/bin/python3", "/usr/local/bin/python3", "/opt/homebrew/bin/python3"]
        .contains { FileManager.default.isExecutableFile(atPath: $0) }

    @Test(.enabled(if: hasPython)) func letterCountPassesTheCheck() async throws {
        let environment = try await ProcessEnvironment.start(
            options: [
                "command": ["python3", .string(Self.root.appending(path: "docs/examples/letter_count.py").path)],
                "train_tasks": 64, "held_out_tasks": 32, "max_tokens": 4,
            ])
        // Programs are judged by fewer tasks: each score is a round trip.
        #expect(await checkEnvironment(environment, tasks: 3) == [])
        await environment.stop()
    }
}
