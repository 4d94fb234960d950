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

        /// The file's path; a ledger is never made by looking for one.
        func existing() throws -> String {
            guard FileManager.default.fileExists(atPath: db) else {
                throw RoleFailure(
                    .badInput, "There is no file \(db).", advice: "Name the orchestrator.sqlite in a run's directory.")
            }
            return db
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Balances by account, in verified FLOPs.")

        @OptionGroup var database: DatabaseOption

        func run() async throws {
            let path = try database.existing()
            let balances = try translating { try Ledger.read(path) { try Ledger.balances(in: $0) } }
            for (account, balance) in balances.sorted(by: { $0.key < $1.key }) {
                Output.text(Terminal.right("\(balance)", 20) + "  \(account)")
            }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Recompute every hash and every balance from the beginning, and every draw of an audit.")

        @OptionGroup var database: DatabaseOption

        func run() async throws {
            let path = try database.existing()
            let report = try translating { try Ledger.verify(path) }
            Output.text(
                "\(report.entries) entries of run \(report.run.hex.prefix(16)) are whole: \(report.issued) issued, "
                    + "\(report.burned) burned, head \(report.headHash)")
            let draws = try translating { try DrawReview(path: path) }
            guard draws.violations.isEmpty else {
                throw RoleFailure(.badInput, "Audits were not drawn as committed to: \(draws.violations[0])")
            }
            guard draws.checked + draws.open > 0 else { return }
            Output.text(
                "\(draws.checked) draws of audits follow from their secrets; \(draws.open) wait for the present epoch's"
            )
        }
    }

    /// A ledger that does not hold is bad data, not our fault.
    static func translating<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch { throw RoleFailure(.badInput, "\(error)") }
    }
}
