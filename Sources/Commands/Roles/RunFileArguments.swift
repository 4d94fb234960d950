import ArgumentParser
import Roles
import RunConfiguration

/// The part of a command line that names run files: `@ run.toml @ more.toml --section.key value`.
struct RunFileArguments {
    let file: RunFile
    /// What the command itself has to interpret.
    let remaining: [String]

    /// Loads the run file that the words name; the environment's own settings lie below it.
    init(_ words: [String], below layers: [ConfigurationNode] = []) throws {
        let arguments = try RunArguments(parsing: words)
        remaining = arguments.remaining
        guard !arguments.files.isEmpty || !layers.isEmpty else {
            throw ValidationError("Name a run file: @ run.toml")
        }
        let read = try arguments.files.map { try ConfigurationNode(file: $0) }
        file = try RunFile.load(
            layers: layers + read + arguments.overrides.map(\.node),
            environmentDefaults: EnvironmentRegistry.runFileDefaults)
    }

    /// Refuses words that nobody understood.
    func requireNothingMore() throws {
        if let word = remaining.first { throw ValidationError("Unknown argument \(word).") }
    }
}
