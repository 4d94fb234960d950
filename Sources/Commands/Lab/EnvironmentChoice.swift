import ArgumentParser
import EnvironmentKit
import Roles

/// How a person names an environment on the command line.
struct EnvironmentChoice: ParsableArguments {
    @Option(
        name: .customLong("option"),
        help: ArgumentHelp(
            "An option of the environment, KEY=VALUE, as in [environment.options]; may be given several times.",
            valueName: "key=value"))
    var options: [String] = []

    /// What names may be, for help texts.
    static let help = "An environment of `apus env list`, dataset:FILE.jsonl, process:COMMAND, or @run.toml."

    /// Opens the environment; a program is started for it.
    func open(_ name: String) async throws -> any Environment {
        try await EnvironmentRegistry.open(try EnvironmentRegistry.section(named: name, options: options))
    }
}
