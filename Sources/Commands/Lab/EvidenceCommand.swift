import ArgumentParser
import Foundation
import Roles

/// `apus evidence`.
struct EvidenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence",
        abstract: "Files with which anybody can repeat a verdict, from a run's database.",
        discussion: """
            The newest 1000 rejected groups are kept, and accepted ones while training may still need them. \
            `verifier replay FILE --model DIR` re-checks a file.

              apus evidence list --db runs/demo/orchestrator.sqlite
              apus evidence export --db runs/demo/orchestrator.sqlite --group 3fa9c2 --out group.evidence
            """, subcommands: [List.self, Export.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The groups that can be exported, one JSON object per line.")

        @OptionGroup var database: LedgerCommand.DatabaseOption

        private struct Line: Encodable {
            let group: String
            let verdict: String
            let check: String?
            let reason: String?
        }

        func run() async throws {
            let archive = EvidenceArchive(database: try database.existing())
            for entry in try LedgerCommand.translating({ try archive.entries() }) {
                try Output.line(
                    Line(
                        group: entry.group.hex, verdict: entry.check == nil ? "accepted" : "rejected",
                        check: entry.check, reason: entry.check == nil ? nil : entry.reason))
            }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Write the evidence of one group to a file.")

        @OptionGroup var database: LedgerCommand.DatabaseOption

        @Option(help: ArgumentHelp("The group's hash or its first digits.", valueName: "hash"))
        var group: String

        @Option(help: ArgumentHelp("Where to write it.", valueName: "file"))
        var out: String

        func validate() throws {
            guard group.count >= 4, group.count <= 64, group.allSatisfy(\.isHexDigit) else {
                throw ValidationError("--group must be 4 to 64 hexadecimal digits.")
            }
        }

        func run() async throws {
            let bundle = try EvidenceArchive(database: try database.existing()).bundle(group: group)
            try EvidenceFile.write(bundle, to: out)
        }
    }
}
