import GRDB
import Identity

/// What a run's groups are judged by, kept so that a restart can compare.
extension RunDatabase {
    static func registerBasis(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("basis-1") { database in
            try database.execute(
                sql: "CREATE TABLE basis (name TEXT NOT NULL PRIMARY KEY, hash TEXT NOT NULL) WITHOUT ROWID")
        }
    }

    /// What the run began with; nil where nothing is kept, as in a run of an earlier program.
    func basis() throws -> JudgingBasis? {
        let hashes = try pool.read { database in
            try Row.fetchAll(database, sql: "SELECT name, hash FROM basis").reduce(into: [String: Hash256]()) {
                hashes, row in
                hashes[row["name"]] = Hash256(hex: row["hash"])
            }
        }
        return hashes.isEmpty ? nil : JudgingBasis(hashes: hashes)
    }

    /// Keeps what a run is judged by from now on.
    func keep(_ basis: JudgingBasis) throws {
        try pool.write { database in
            try database.execute(sql: "DELETE FROM basis")
            for (name, hash) in basis.hashes {
                try database.execute(
                    sql: "INSERT INTO basis (name, hash) VALUES (?, ?)", arguments: [name, hash.hex])
            }
        }
    }
}
