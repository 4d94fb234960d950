import Foundation
import GRDB
import Identity

/// A stored entry with its place in the chain.
struct LedgerRow {
    let id: Int64
    let entry: Entry
    let previousHash: Hash256
    let hash: Hash256

    static func fetch(reference: String, in db: Database) throws -> LedgerRow? {
        let row = try Row.fetchOne(db, sql: "\(entriesQuery) WHERE reference = ?", arguments: [reference])
        return try row.map { try LedgerRow($0, in: db) }
    }

    static func fetchNewest(_ count: Int, in db: Database) throws -> [LedgerRow] {
        try Row.fetchAll(
            db, sql: "\(entriesQuery) ORDER BY id DESC LIMIT ?", arguments: [max(0, count)]
        ).map { try LedgerRow($0, in: db) }
    }

    /// Calls `body` with every entry, in order, without holding them all.
    static func forEach(in db: Database, _ body: (LedgerRow) throws -> Void) throws {
        let rows = try Row.fetchCursor(db, sql: "\(entriesQuery) ORDER BY id")
        let postings = try db.cachedStatement(sql: postingsQuery)
        while let row = try rows.next() { try body(LedgerRow(row, postings)) }
    }

    private static let entriesQuery = "SELECT id, reference, kind, note, time, previousHash, hash FROM ledgerEntry"
    private static let postingsQuery =
        "SELECT position, account, amount FROM ledgerPosting WHERE entry = ? ORDER BY position"

    private init(_ row: Row, in db: Database) throws {
        try self.init(row, db.cachedStatement(sql: Self.postingsQuery))
    }

    private init(_ row: Row, _ postings: Statement) throws {
        let id: Int64 = try row.value(0, of: nil)
        guard let kind = Entry.Kind(rawValue: try row.value(2, of: id)),
            let previous = Hash256(try row.value(5, of: id) as Data),
            let hash = Hash256(try row.value(6, of: id) as Data)
        else { throw LedgerError.damaged(entry: id, reason: "its kind or a hash cannot be read") }
        self.id = id
        self.previousHash = previous
        self.hash = hash
        self.entry = Entry(
            reference: try row.value(1, of: id), kind: kind, postings: try Self.postings(of: id, postings),
            note: try row.value(3, of: id), time: try row.value(4, of: id))
    }

    private static func postings(of id: Int64, _ statement: Statement) throws -> [Entry.Posting] {
        let rows = try Row.fetchAll(statement, arguments: [id])
        return try rows.enumerated().map { index, row in
            guard try row.value(0, of: id) == Int64(index), let account = Account(text: try row.value(1, of: id)) else {
                throw LedgerError.damaged(entry: id, reason: "a posting is missing or names no account")
            }
            return Entry.Posting(account, try row.value(2, of: id))
        }
    }
}

extension Row {
    /// Reads a column of a file that anyone may have written; GRDB's own subscript stops the process where the type
    /// does not fit.
    func value<Value: DatabaseValueConvertible>(_ column: Int, of entry: Int64?) throws -> Value {
        let stored: DatabaseValue = self[column]
        guard let value = Value.fromDatabaseValue(stored) else {
            throw LedgerError.damaged(entry: entry, reason: "a column holds a value of another type")
        }
        return value
    }
}
