public import ArgumentParser
import Roles

/// `trainer @ run.toml`.
public struct TrainerCommand: AsyncParsableCommand {
    /// How the command introduces itself.
    public static let configuration = CommandConfiguration(
        commandName: "trainer",
        abstract: "Trains a run's policy: one optimizer step per batch, one published version per step.",
        discussion: """
            Goes on from the newest checkpoint that is marked STABLE; without one it begins with the run file's warm-up.

              trainer @ runs/demo/run.json
            """, version: Software.version)

    @Argument(
        parsing: .allUnrecognized,
        help: ArgumentHelp("@ run.toml, then --section.key value to override.", valueName: "@ run.toml"))
    var words: [String] = []

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var logging: LogOptions

    /// The command line's defaults.
    public init() {}

    /// Trains until the run is over.
    public func run() async throws {
        let arguments = try RunFileArguments(words)
        try arguments.requireNothingMore()
        var file = arguments.file
        if let threads = compute.threads { file.swarm.trainerThreads = threads }
        let log = logging.logger("trainer")
        let role = TrainerRole(file, kernels: try compute.kernels(), log: log)
        try await Lifetime.run("trainer", log: log) { try await role.run() }
    }
}
