import Foundation
import GRDB
import Identity
import Verification

/// What the groups of foreign workers come to, kept over restarts.
extension RunDatabase {
    /// A worker's tally, in place of an earlier one.
    struct StoredMargins: Sendable {
        var worker: PublicKey
        var tally: MarginTally
    }

    static func registerMargins(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("margins-1") { database in
            try database.execute(
                sql: "CREATE TABLE margins (worker TEXT NOT NULL PRIMARY KEY, tally TEXT NOT NULL) WITHOUT ROWID")
        }
    }

    static func keep(_ stored: StoredMargins, in database: Database) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO margins (worker, tally) VALUES (?, ?)",
            arguments: [stored.worker.hex, String(decoding: try JSONEncoder().encode(stored.tally), as: UTF8.self)])
    }

    /// The tallies of all foreign workers.
    func margins() throws -> [PublicKey: MarginTally] {
        try pool.read { database in
            try Row.fetchAll(database, sql: "SELECT worker, tally FROM margins").reduce(into: [:]) { tallies, row in
                guard let worker = PublicKey(hex: row["worker"]) else { return }
                let text: String = row["tally"]
                tallies[worker] = try JSONDecoder().decode(MarginTally.self, from: Data(text.utf8))
            }
        }
    }
}
