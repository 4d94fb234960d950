import ArgumentParser
import Foundation
import Ledger
import Roles

/// `apus ledger`.
struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Who has earned what, and whether the books are whole.",
        subcommands: [Show.self, Verify.self])

    struct DatabaseOption: ParsableArguments {
        @Option(help: ArgumentHelp("A run's orchestrator.sqlite.", valueName: "file"))
        var db: String

        func validate() throws {
            guard FileManager.default.fileExists(atPath: db) else {
                throw ValidationError("There is no file \(db).")
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Balances by account, in verified FLOPs.")

        @OptionGroup var database: DatabaseOption

        func run() async throws {
            let balances = try translating { try Ledger.read(database.db) { try Ledger.balances(in: $0) } }
            for (account, balance) in balances.sorted(by: { $0.key < $1.key }) {
                Output.text(Terminal.right("\(balance)", 20) + "  \(account)")
            }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Recompute every hash and every balance from the beginning.")

        @OptionGroup var database: DatabaseOption

        func run() async throws {
            let report = try translating { try Ledger.verify(database.db) }
            Output.text(
                "\(report.entries) entries of run \(report.run.hex.prefix(16)) are whole: \(report.issued) issued, "
                    + "\(report.burned) burned, head \(report.headHash)")
        }
    }

    /// A ledger that does not hold is bad data, not our fault.
    static func translating<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch { throw RoleFailure(.badInput, "\(error)") }
    }
}
