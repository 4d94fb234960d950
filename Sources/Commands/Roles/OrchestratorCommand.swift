public import ArgumentParser
import Roles

/// `orchestrator @ run.toml`.
public struct OrchestratorCommand: AsyncParsableCommand {
    /// How the command introduces itself.
    public static let configuration = CommandConfiguration(
        commandName: "orchestrator",
        abstract: "Leads a run: leases, receipts, audits, batches, credit.",
        discussion: """
            Reads a prepared run, as `apus up` prepares it (its keys and ports are in the run's directory), and serves \
            workers, verifiers and the trainer until all steps are made. Everything that it has acknowledged is in the \
            run's orchestrator.sqlite; after a crash, start it again and it goes on.

              orchestrator @ runs/demo/run.json
            """, version: Software.version)

    @Argument(
        parsing: .allUnrecognized,
        help: ArgumentHelp("@ run.toml, then --section.key value to override.", valueName: "@ run.toml"))
    var words: [String] = []

    @OptionGroup var logging: LogOptions

    /// The command line's defaults.
    public init() {}

    /// Serves until the run is over.
    public func run() async throws {
        let arguments = try RunFileArguments(words)
        try arguments.requireNothingMore()
        let log = logging.logger("orchestrator")
        let role = OrchestratorRole(arguments.file, log: log)
        try await Lifetime.run("orchestrator", log: log) { try await role.run() }
    }
}
