public import ArgumentParser
import Roles

/// `verifier join URL`.
public struct VerifierCommand: AsyncParsableCommand {
    /// How the command introduces itself.
    public static let configuration = CommandConfiguration(
        commandName: "verifier",
        abstract: "Audits a run: replays groups, blind, in one prefill each, and reports what came out.",
        discussion: """
            A verifier never sees what it should be equal to; the orchestrator compares. Its key must be on the run's \
            list (admission.verifiers).

              verifier join runs/demo/join.toml --threads 2

            Whoever doubts a verdict re-checks it alone, with the evidence file and the weights:

              verifier replay group.evidence --model runs/demo/model
            """, version: Software.version, subcommands: [Join.self, VerifierReplayCommand.self])

    /// The command line's defaults.
    public init() {}

    struct Join: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Join a run and keep auditing until told to stop (Ctrl-C drains).")

        @OptionGroup var join: JoinOptions

        @Option(parsing: .unconditional, help: "Groups replayed at once.")
        var groups: Int = 32

        @Option(parsing: .unconditional, help: ArgumentHelp("Memory for groups in replay.", valueName: "gib"))
        var memoryLimit: Double = 1

        @OptionGroup var compute: ComputeOptions
        @OptionGroup var logging: LogOptions

        func validate() throws {
            guard groups >= 1, groups <= 256 else { throw ValidationError("--groups must be between 1 and 256.") }
            guard memoryLimit > 0, memoryLimit < 4096 else {
                throw ValidationError("--memory-limit must be a positive number of GiB.")
            }
        }

        func run() async throws {
            let log = logging.logger("verifier")
            let ticket = try await join.ticket()
            let keys = try join.keys("verifier")
            let settings = VerifierRole.Settings(
                name: join.displayName, threads: compute.threadCount, groups: groups,
                cacheBytes: Int(memoryLimit * Double(1 << 30)), cache: try join.cacheDirectory(ticket, keys))
            let role = VerifierRole(
                ticket: ticket, keys: keys, settings: settings, kernels: try compute.kernels(), log: log)
            try await Lifetime.run("verifier", log: log) { try await role.run() }
        }
    }
}
