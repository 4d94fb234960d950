import Foundation
import GRDB
import Orchestration

/// The journal, read one fact at a time: it is as long as the run.
extension RunDatabase {
    /// Calls `body` with the facts after the first so many, in order.
    func forEachFact(after count: UInt64 = 0, _ body: (Fact) throws -> Void) throws {
        try pool.read { try Self.forEachFact(after: count, in: $0, body) }
    }

    /// Calls `body` with the facts after the first so many, in order.
    static func forEachFact(after count: UInt64 = 0, in database: Database, _ body: (Fact) throws -> Void) throws {
        // Facts are numbered from 1 and never deleted.
        let bodies = try Data.fetchCursor(
            database, sql: "SELECT body FROM facts WHERE sequence > ? ORDER BY sequence",
            arguments: [Int64(clamping: count)])
        while let bytes = try bodies.next() { try body(try Fact(decoding: bytes)) }
    }

    /// How many versions were published since the beginning.
    ///
    /// Counted by how such a fact's bytes begin, which is part of the journal's format: to decode them all takes a
    /// hundred times as long.
    func publishedVersions() throws -> Int {
        let beginning = Data(#"{"fact":{"versionPublished":"#.utf8)
        return try pool.read { database in
            try Int.fetchOne(
                database, sql: "SELECT COUNT(*) FROM facts WHERE substr(body, 1, ?) = ?",
                arguments: [beginning.count, beginning]) ?? 0
        }
    }
}
