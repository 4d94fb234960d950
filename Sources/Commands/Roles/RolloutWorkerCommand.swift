public import ArgumentParser
import Foundation
import Roles

/// `rollout-worker join URL`.
public struct RolloutWorkerCommand: AsyncParsableCommand {
    /// How the command introduces itself.
    public static let configuration = CommandConfiguration(
        commandName: "rollout-worker",
        abstract: "Lends this machine to a run: generates rollouts and earns credit for those that pass their audit.",
        discussion: """
            It runs no code, templates or programs of the run's; it computes with weights that it checked. It stops at \
            once on Ctrl-C: work in progress is given back and counts neither for nor against you.

              rollout-worker join 'apus://lab.example:7700/?run=…&key=apus1:…' --threads 4

            Where the run allows it, a completions server of your own generates instead (docs/foreign-engines.md):

              rollout-worker join 'apus://…' --engine openai --server http://127.0.0.1:8000/v1 --served-model policy
            """, version: Software.version, subcommands: [Join.self])

    /// The command line's defaults.
    public init() {}

    struct Join: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Join a run and keep going until told to stop (Ctrl-C drains).")

        @OptionGroup var join: JoinOptions

        @Option(parsing: .unconditional, help: ArgumentHelp("Memory for sequences in progress.", valueName: "gib"))
        var memoryLimit: Double = 1

        @Option(parsing: .unconditional, help: "Groups of samples generated at once.")
        var groups: Int = 16

        @OptionGroup var foreign: ForeignOptions

        @Flag(
            help:
                "Lie on purpose (old, perturbed weights), to see an audit catch it. For demonstrations: you will be slashed."
        )
        var dishonest = false

        @OptionGroup var compute: ComputeOptions
        @OptionGroup var logging: LogOptions

        func validate() throws {
            guard groups >= 1, groups <= 1024 else { throw ValidationError("--groups must be between 1 and 1024.") }
            guard !dishonest || foreign.engine == nil else {
                throw ValidationError("--dishonest is the built-in engine's; it does not go with --engine.")
            }
            guard memoryLimit > 0, memoryLimit < 4096 else {
                throw ValidationError("--memory-limit must be a positive number of GiB.")
            }
        }

        func run() async throws {
            let log = logging.logger("rollout-worker")
            let ticket = try await join.ticket()
            let keys = try join.keys("rollout-worker")
            var settings = WorkerRole.Settings(
                name: join.displayName, threads: compute.threadCount, groups: groups,
                cacheBytes: Int(memoryLimit * Double(1 << 30)), cache: try join.cacheDirectory(ticket, keys))
            settings.isDishonest = dishonest
            settings.foreign = try foreign.namedEngine()
            let kernels = try compute.kernels()
            log.notice(
                "row \(kernels.row), \(compute.threadCount) threads",
                metadata: ["key": "\(keys.publicLine.identity.hex.prefix(16))"])
            let role = WorkerRole(ticket: ticket, keys: keys, settings: settings, kernels: kernels, log: log)
            try await Lifetime.run("rollout-worker", log: log) { try await role.run() }
        }
    }
}
