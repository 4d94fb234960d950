import Foundation
import GRDB
import Identity
import Orchestration

/// Snapshots of the state beside the journal, so that a start reads only the facts after the newest one.
extension RunDatabase {
    /// Snapshots that are kept: the newest, and the one before in case the newest cannot be read.
    static let keptSnapshots = 2

    /// What a stored snapshot must have been written by to be read.
    static let snapshotFormat = "\(SnapshotPieces.formatVersion)/\(Software.version)"

    static func registerSnapshots(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("snapshots-1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE snapshots (
                        id INTEGER PRIMARY KEY, facts INTEGER NOT NULL, format TEXT NOT NULL, fact BLOB NOT NULL,
                        sha256 BLOB NOT NULL
                    );
                    CREATE TABLE snapshotPieces (
                        id INTEGER PRIMARY KEY, snapshot INTEGER NOT NULL, body BLOB NOT NULL
                    );
                    CREATE INDEX snapshotPiecesBySnapshot ON snapshotPieces (snapshot);
                    """)
        }
    }

    /// Writes a snapshot piece by piece, each in a transaction of its own, so that no turn waits for more than one.
    ///
    /// It counts from its last transaction on; what a crash leaves unfinished is swept before the next one.
    ///
    /// - Precondition: All facts that the state covers are in the journal.
    func keep(snapshotOf state: DurableState) async throws {
        try await sweepSnapshots()
        let id = try await pool.read { database in
            1 + (try Int64.fetchOne(database, sql: "SELECT MAX(id) FROM snapshots") ?? 0)
        }
        var hash = SHA256()
        var pieces = SnapshotPieces(state)
        while let piece = try pieces.next() {
            try Task.checkCancellation()
            hash.update(piece)
            try await pool.write { database in
                try database.execute(
                    sql: "INSERT INTO snapshotPieces (snapshot, body) VALUES (?, ?)", arguments: [id, Data(piece)])
            }
        }
        let count = Int64(clamping: state.factCount)
        let digest = Data(hash.finalize().bytes)
        try await pool.write { database in
            guard let fact = try Self.hash(ofFact: count, in: database) else {
                throw SnapshotRefusal(description: "The journal has no fact \(count), the last one that it covers.")
            }
            try database.execute(
                sql: "INSERT INTO snapshots (id, facts, format, fact, sha256) VALUES (?, ?, ?, ?, ?)",
                arguments: [id, count, Self.snapshotFormat, Data(fact.bytes), digest])
            try database.execute(
                sql: """
                    DELETE FROM snapshots WHERE id NOT IN
                    (SELECT id FROM snapshots ORDER BY facts DESC, id DESC LIMIT ?)
                    """, arguments: [Self.keptSnapshots])
        }
        try await sweepSnapshots()
    }

    /// Removes snapshots that are of no use.
    func discardSnapshots(_ ids: [Int64]) throws {
        try pool.write { database in
            for id in ids { try database.execute(sql: "DELETE FROM snapshots WHERE id = ?", arguments: [id]) }
        }
    }

    /// Removes the pieces of snapshots that are unfinished or not kept any more, one in a transaction.
    private func sweepSnapshots() async throws {
        var isClean = false
        while !isClean {
            isClean = try await pool.write { database in
                try database.execute(
                    sql: """
                        DELETE FROM snapshotPieces WHERE id = (
                            SELECT id FROM snapshotPieces WHERE snapshot NOT IN (SELECT id FROM snapshots) LIMIT 1)
                        """)
                return database.changesCount == 0
            }
        }
    }
}
