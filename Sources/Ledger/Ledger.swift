import Foundation
public import GRDB
public import Identity

/// The run's book of credits: append-only, hash-chained, double entry, in verified FLOPs.
///
/// Every function works inside the caller's transaction, so that an entry and the fact that brought it about become
/// durable together or not at all. Each entry has a unique reference: appending it again changes nothing.
public enum Ledger {
    /// Whether an entry was new.
    public enum Outcome: Sendable, Hashable {
        /// It was appended.
        case appended
        /// An entry with this reference was there before; nothing changed.
        case known
    }

    /// Adds the ledger's migrations to those of the run's database.
    public static func migrate(_ migrator: inout DatabaseMigrator) {
        LedgerSchema.register(&migrator)
    }

    /// A connection's configuration under which a commit is durable: write-ahead log, synced at every commit.
    public static func durableConfiguration() -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            guard !db.configuration.readonly else { return }
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try db.execute(sql: "PRAGMA synchronous = FULL")
        }
        return configuration
    }

    /// Writes the genesis entry, which binds the run; on a ledger that has one, checks that it is this run's.
    public static func begin(run: Hash256, time: Int64 = 0, in db: Database) throws {
        if let row = try Row.fetchOne(db, sql: "SELECT note FROM ledgerEntry WHERE id = 0") {
            let note: String = try row.value(0, of: 0)
            guard note == run.hex else { throw LedgerError.anotherRun(expected: run.hex, found: note) }
            return
        }
        let genesis = Entry(reference: "genesis", kind: .genesis, postings: [], note: run.hex, time: time)
        try insert(genesis, index: 0, previous: .zero, in: db)
    }

    /// Appends an entry, unless one with its reference is there.
    ///
    /// - Throws: `LedgerError` if the entry does not sum to zero, overdraws an account, or has the reference of an
    ///   entry that moves something else; the transaction must then be rolled back.
    @discardableResult
    public static func append(_ entry: Entry, in db: Database) throws -> Outcome {
        if let known = try LedgerRow.fetch(reference: entry.reference, in: db) {
            guard known.entry.kind == entry.kind, known.entry.postings == entry.postings else {
                throw LedgerError.conflict(reference: entry.reference)
            }
            return .known
        }
        guard entry.kind != .genesis else {
            throw LedgerError.refused(reference: entry.reference, reason: "there is one genesis entry only")
        }
        if let objection = entry.objection {
            throw LedgerError.refused(reference: entry.reference, reason: objection)
        }
        guard let head = try head(in: db) else { throw LedgerError.notBegun }
        for posting in entry.postings { try move(posting, in: db) }
        try insert(entry, index: head.entries, previous: head.hash, in: db)
        return .appended
    }

    /// The balance of one account; 0 for one that was never used.
    public static func balance(of account: Account, in db: Database) throws -> Int64 {
        try Int64.fetchOne(db, sql: "SELECT balance FROM ledgerBalance WHERE account = ?", arguments: [account.text])
            ?? 0
    }

    /// The balances of all accounts, by account.
    public static func balances(in db: Database) throws -> [Account: Int64] {
        var balances: [Account: Int64] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT account, balance FROM ledgerBalance") {
            guard let account = Account(text: try row.value(0, of: nil)) else {
                throw LedgerError.damaged(entry: nil, reason: "the balance of an unknown account is kept")
            }
            balances[account] = try row.value(1, of: nil)
        }
        return balances
    }

    /// How many entries there are and the hash of the last; nil before the genesis.
    public static func head(in db: Database) throws -> (entries: Int64, hash: Hash256)? {
        guard let row = try Row.fetchOne(db, sql: "SELECT entries, hash FROM ledgerHead WHERE id = 0") else {
            return nil
        }
        guard let hash = Hash256(try row.value(1, of: nil) as Data) else {
            throw LedgerError.damaged(entry: nil, reason: "the hash of the last entry is no hash")
        }
        return (try row.value(0, of: nil), hash)
    }

    /// The newest entries, newest first.
    public static func newestEntries(_ count: Int, in db: Database) throws -> [Entry] {
        try LedgerRow.fetchNewest(count, in: db).map(\.entry)
    }

    private static func move(_ posting: Entry.Posting, in db: Database) throws {
        let before = try balance(of: posting.account, in: db)
        let (after, overflow) = before.addingReportingOverflow(posting.amount)
        // Only the source of all units may stand below zero.
        guard !overflow, after >= 0 || posting.account == .issuance else {
            throw LedgerError.overdrawn(account: posting.account.text, balance: before, amount: posting.amount)
        }
        try db.execute(
            sql: """
                INSERT INTO ledgerBalance (account, balance) VALUES (?1, ?2)
                ON CONFLICT (account) DO UPDATE SET balance = ?2
                """,
            arguments: [posting.account.text, after])
    }

    private static func insert(_ entry: Entry, index: Int64, previous: Hash256, in db: Database) throws {
        let hash = entry.hash(index: index, previous: previous)
        try db.execute(
            sql: """
                INSERT INTO ledgerEntry (id, reference, kind, note, time, previousHash, hash)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                index, entry.reference, entry.kind.rawValue, entry.note, entry.time, Data(previous.bytes),
                Data(hash.bytes),
            ])
        for (position, posting) in entry.postings.enumerated() {
            try db.execute(
                sql: "INSERT INTO ledgerPosting (entry, position, account, amount) VALUES (?, ?, ?, ?)",
                arguments: [index, position, posting.account.text, posting.amount])
        }
        try db.execute(
            sql: """
                INSERT INTO ledgerHead (id, entries, hash) VALUES (0, ?1, ?2)
                ON CONFLICT (id) DO UPDATE SET entries = ?1, hash = ?2
                """,
            arguments: [index + 1, Data(hash.bytes)])
    }
}
