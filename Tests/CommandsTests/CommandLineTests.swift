import ArgumentParser
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
            ["eval", "--model", "x", "--env", "y", "-n", "0"], ["kernels", "--threads", "3"], ["nonsense"],
        ])
    func refused(words: [String]) {
        #expect(throws: (any Error).self) { try ApusCommand.parseAsRoot(words) }
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
