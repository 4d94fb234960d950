import Foundation
import GRDB
import Identity
import Verification

/// What the groups of foreign workers come to, kept over restarts.
extension RunDatabase {
    /// What one verifier reported of a worker in all, in place of an earlier tally.
    struct StoredMargins: Sendable {
        var worker: PublicKey
        var verifier: PublicKey
        var tally: MarginTally
    }

    static func registerMargins(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("margins-1") { database in
            try database.execute(
                sql: "CREATE TABLE margins (worker TEXT NOT NULL PRIMARY KEY, tally TEXT NOT NULL) WITHOUT ROWID")
        }
        // Whose word the old tallies were is not known any more, so they speak against nobody.
        migrator.registerMigration("margins-2") { database in
            try database.execute(
                sql: """
                    DROP TABLE margins;
                    CREATE TABLE margins (
                        worker TEXT NOT NULL, verifier TEXT NOT NULL, tally TEXT NOT NULL, PRIMARY KEY (worker, verifier)
                    ) WITHOUT ROWID;
                    """)
        }
    }

    static func keep(_ stored: StoredMargins, in database: Database) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO margins (worker, verifier, tally) VALUES (?, ?, ?)",
            arguments: [
                stored.worker.hex, stored.verifier.hex,
                String(decoding: try JSONEncoder().encode(stored.tally), as: UTF8.self),
            ])
    }

    /// The tallies of all foreign workers, by the verifier that reported them.
    func margins() throws -> [PublicKey: [PublicKey: MarginTally]] {
        try pool.read { database in
            try Row.fetchAll(database, sql: "SELECT worker, verifier, tally FROM margins").reduce(into: [:]) {
                tallies, row in
                guard let worker = PublicKey(hex: row["worker"]), let verifier = PublicKey(hex: row["verifier"]) else {
                    return
                }
                let text: String = row["tally"]
                tallies[worker, default: [:]][verifier] = try JSONDecoder().decode(
                    MarginTally.self, from: Data(text.utf8))
            }
        }
    }
}
