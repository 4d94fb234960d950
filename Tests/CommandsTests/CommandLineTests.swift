import ArgumentParser
import EnvironmentKit
import JSON
import Roles
import Testing

@testable import Commands

@Suite("Command lines")
struct CommandLineTests {
    @Test(
        "every command introduces itself",
        arguments: ApusCommand.configuration.subcommands.map { "\($0)" })
    func help(name: String) throws {
        let type = try #require(ApusCommand.configuration.subcommands.first { "\($0)" == name })
        #expect(!type.configuration.abstract.isEmpty)
        #expect(type.configuration.commandName != nil)
        #expect(ApusCommand.helpMessage(for: type).contains(type.configuration.abstract.prefix(20)))
    }

    @Test(
        "wrong usage is refused before anything is touched",
        arguments: [
            ["generate", "--model", "x"], ["generate", "--model", "x", "--prompt", "a", "--tokens", "1"],
            ["generate", "--model", "x", "--prompt", "a", "--n", "0"], ["demo", "--shape", "enormous"],
            ["demo", "--steps", "0"], ["up", "--resume", "--clean"], ["bench", "generate", "--batch", "0"],
            ["bench", "generate", "--batch", "10", "--samples", "4"], ["bench", "matmul", "--batch", "-1"],
            ["eval", "--model", "x", "--env", "y", "-n", "0"], ["kernels", "--threads", "3"], ["nonsense"],
            ["audit-report", "--model", "x", "--engine", "openai"],
            ["audit-report", "--model", "x", "--foreign-top-k", "-1"],
        ])
    func refused(words: [String]) {
        #expect(throws: (any Error).self) { try ApusCommand.parseAsRoot(words) }
    }

    @Test(
        "negative values are refused for what they are, not as missing",
        arguments: [
            (["generate", "--model", "x", "--prompt", "a", "--temperature", "-1"], "--temperature"),
            (["generate", "--model", "x", "--prompt", "a", "--top-k", "-1"], "--top-k"),
            (["generate", "--model", "x", "--prompt", "a", "--n", "-2"], "--n"),
            (["score", "--model", "x", "--input", "y", "--temperature", "-0.5"], "--temperature"),
            (["eval", "--model", "x", "--env", "y", "--max-tokens", "-1"], "--max-tokens"),
        ])
    func negative(words: [String], option: String) {
        let error = #expect(throws: (any Error).self) { try ApusCommand.parseAsRoot(words) }
        let message = error.map { ApusCommand.message(for: $0) } ?? ""
        #expect(message.contains(option) && !message.contains("Missing value"))
    }

    @Test("environments are named by id, as datasets, programs and run files")
    func environmentNames() throws {
        let built = try EnvironmentRegistry.section(named: "digit-sort", options: [])
        #expect(built.name == "digit-sort")
        let data = try EnvironmentRegistry.section(
            named: "dataset:a:b.jsonl", options: ["reward=numeric-match", "max_tokens=9", "chat=true"])
        #expect(data.name == "dataset")
        #expect(data.environmentOptions["path"] == "a:b.jsonl")
        #expect(data.environmentOptions["reward"] == "numeric-match")
        #expect(data.environmentOptions["max_tokens"] == 9 && data.environmentOptions["chat"] == true)
        let program = try EnvironmentRegistry.section(named: "process:python3 x.py", options: [])
        #expect(program.environmentOptions["command"] == ["python3", "x.py"])
        #expect(throws: RoleFailure.self) { try EnvironmentRegistry.section(named: "dataset:x", options: ["nonsense"]) }
        #expect(throws: (any Error).self) { try EnvironmentRegistry.section(named: "@/nowhere.toml", options: []) }
    }

    @Test("a relay is origin or cache, never both or neither")
    func relay() throws {
        let key = String(repeating: "ab", count: 32)
        #expect(throws: (any Error).self) { try RelayCommand.parse(["--listen", "127.0.0.1:1", "--trust", key]) }
        #expect(throws: (any Error).self) {
            try RelayCommand.parse([
                "--listen", "127.0.0.1:1", "--trust", key, "--origin", "a", "--upstream", "http://b", "--cache", "c",
            ])
        }
        #expect(throws: (any Error).self) {
            try RelayCommand.parse(["--listen", "nowhere", "--trust", key, "--origin", "a"])
        }
        #expect(throws: Never.self) {
            try RelayCommand.parse(["--listen", "127.0.0.1:0", "--trust", key, "--origin", "a"])
        }
    }

    @Test("failures carry the exit codes that scripts rely on")
    func exitCodes() {
        #expect(Failure(RoleFailure(.usage, "a")).exitCode == 64)
        #expect(Failure(RoleFailure(.badInput, "a")).exitCode == 65)
        #expect(Failure(RoleFailure(.unreachable, "a")).exitCode == 69)
        #expect(Failure(CancellationError()).exitCode == 70)
    }
}
