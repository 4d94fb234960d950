import Foundation
import GRDB
import Identity
import Orchestration

/// How a run comes back: from the newest snapshot and the facts after it.
///
/// A snapshot is a cache. One that is damaged, of another program version or of another journal is not used; the
/// journal alone decides what the state is.
extension RunDatabase {
    /// The state that the journal amounts to, and how it was found.
    struct Restored: Sendable {
        var state = DurableState()
        /// How many facts the snapshot covers from which it went on; nil where all facts were read.
        var snapshot: UInt64?
        /// Snapshots that were not used, the newest first, and why.
        var refused: [(id: Int64, reason: String)] = []
    }

    /// Why a stored snapshot is not used.
    struct SnapshotRefusal: Error, CustomStringConvertible {
        let description: String
    }

    /// Rebuilds the state from the newest usable snapshot and the facts after it, or from all facts.
    ///
    /// - Throws: `FactCodingError` or `FactMismatch` where the journal itself is damaged.
    func restore() throws -> Restored {
        try pool.read { database in
            var refused: [(id: Int64, reason: String)] = []
            for row in try Row.fetchAll(database, sql: "SELECT * FROM snapshots ORDER BY facts DESC, id DESC") {
                do {
                    let snapshot = try Self.snapshot(row, in: database)
                    let count = snapshot.factCount
                    let state = try Self.replay(onto: snapshot, in: database)
                    return Restored(state: state, snapshot: count, refused: refused)
                } catch {
                    // What is wrong with the journal itself, reading all of it will tell.
                    refused.append((row["id"], "\(error)"))
                }
            }
            let state = try Self.replay(onto: DurableState(), in: database)
            return Restored(state: state, snapshot: nil, refused: refused)
        }
    }

    private static func replay(onto start: consuming DurableState, in database: Database) throws -> DurableState {
        var state = start
        try forEachFact(after: state.factCount, in: database) { try state.apply($0) }
        return state
    }

    /// Reads and checks a snapshot.
    private static func snapshot(_ row: Row, in database: Database) throws -> DurableState {
        let format = try row.decode(String.self, forColumn: "format")
        guard format == snapshotFormat else {
            throw SnapshotRefusal(description: "It has the format \(format), this program reads \(snapshotFormat).")
        }
        let count = try row.decode(Int64.self, forColumn: "facts")
        let fact = try row.decode(Data.self, forColumn: "fact")
        guard let journaled = try hash(ofFact: count, in: database), Data(journaled.bytes) == fact else {
            throw SnapshotRefusal(description: "The journal has no fact \(count), the last one that it covers.")
        }
        var assembly = SnapshotAssembly()
        var hash = SHA256()
        let pieces = try Data.fetchCursor(
            database, sql: "SELECT body FROM snapshotPieces WHERE snapshot = ? ORDER BY id",
            arguments: [try row.decode(Int64.self, forColumn: "id")])
        while let body = try pieces.next() {
            let bytes = [UInt8](body)
            hash.update(bytes)
            try assembly.take(bytes)
        }
        guard Data(hash.finalize().bytes) == (try row.decode(Data.self, forColumn: "sha256")) else {
            throw SnapshotRefusal(description: "Its bytes have another SHA-256 than when they were written.")
        }
        let state = try assembly.finish()
        guard Int64(exactly: state.factCount) == count else {
            throw SnapshotRefusal(description: "It covers \(state.factCount) facts, and is named after \(count).")
        }
        return state
    }

    /// SHA-256 of the fact of this number, from 1: what a snapshot has in common with its journal and no other.
    static func hash(ofFact number: Int64, in database: Database) throws -> Hash256? {
        try Data.fetchOne(database, sql: "SELECT body FROM facts WHERE sequence = ?", arguments: [number])
            .map { SHA256.hash([UInt8]($0)) }
    }
}
