public import ArgumentParser
import Roles

/// `apus`: everything a person types.
public struct ApusCommand: AsyncParsableCommand {
    /// How the command introduces itself.
    public static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "Apus: an asynchronous RL post-training swarm. Anyone can lend a machine; nobody has to be trusted.",
        discussion: """
            Start here:  apus demo        a whole swarm on this machine, in about a minute
                         apus doctor      can this machine join a run?
            """, version: Software.version,
        subcommands: [
            DemoCommand.self, UpCommand.self, ModelCommand.self, SFTCommand.self, GenerateCommand.self,
            ScoreCommand.self,
            TokenizeCommand.self, EvalCommand.self, EnvCommand.self, KernelsCommand.self, ToplocCommand.self,
            AuditReportCommand.self, EvidenceCommand.self, WeightsCommand.self, LedgerCommand.self,
            KeysCommand.self, BenchCommand.self, DoctorCommand.self,
        ])

    /// The command line's defaults.
    public init() {}
}
