import Foundation
public import GRDB
public import Identity

/// What a verified ledger says.
public struct LedgerReport: Sendable, Hashable {
    /// The run that the genesis entry binds.
    public let run: Hash256
    /// How many entries there are, the genesis included.
    public let entries: Int64
    /// The hash of the last entry: who has noted it earlier can tell whether history was rewritten since.
    public let headHash: Hash256
    /// The balances, recomputed from the beginning.
    public let balances: [Account: Int64]

    /// Units ever issued.
    public var issued: Int64 { -(balances[.issuance] ?? 0) }
    /// Units taken away for good.
    public var burned: Int64 { balances[.burned] ?? 0 }
}

extension Ledger {
    /// Re-checks every hash and every balance of a database file from the beginning, without changing it.
    ///
    /// - Throws: `LedgerError.damaged` at the first entry that is not what was once written: changed, deleted,
    ///   inserted or in another place.
    public static func verify(_ path: String) throws -> LedgerReport {
        try read(path) { db in try verify(in: db) }
    }

    /// Opens a run's database for reading only.
    public static func read<Value>(_ path: String, _ body: (Database) throws -> Value) throws -> Value {
        guard FileManager.default.fileExists(atPath: path) else {
            throw LedgerError.unreadable(path: path, reason: "there is no such file")
        }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        do {
            return try DatabaseQueue(path: path, configuration: configuration).read(body)
        } catch let error as DatabaseError {
            throw LedgerError.unreadable(path: path, reason: error.message ?? "SQLite error \(error.resultCode)")
        }
    }

    /// Re-checks the ledger within a transaction.
    public static func verify(in db: Database) throws -> LedgerReport {
        var chain = Chain()
        try LedgerRow.forEach(in: db) { try chain.extend($0) }
        guard let run = chain.run else { throw LedgerError.notBegun }
        guard let head = try head(in: db), head.entries == chain.entries, head.hash == chain.hash else {
            throw LedgerError.damaged(entry: nil, reason: "entries are missing at the end, or were added")
        }
        let postings = try Int64.fetchOne(db, sql: "SELECT COUNT(*) FROM ledgerPosting") ?? 0
        guard postings == chain.postings else {
            throw LedgerError.damaged(entry: nil, reason: "there are postings without an entry")
        }
        guard chain.sum == 0 else { throw LedgerError.damaged(entry: nil, reason: "the balances do not sum to 0") }
        guard try balances(in: db) == chain.balances else {
            throw LedgerError.damaged(entry: nil, reason: "the kept balances are not the sums of the postings")
        }
        return LedgerReport(run: run, entries: chain.entries, headHash: chain.hash, balances: chain.balances)
    }

    /// The chain as far as it was walked.
    private struct Chain {
        var entries: Int64 = 0
        var postings: Int64 = 0
        var hash = Hash256.zero
        var run: Hash256?
        var balances: [Account: Int64] = [:]

        /// The sum over all balances; with wrapping, since only 0 counts.
        var sum: Int64 { balances.values.reduce(0, &+) }

        mutating func extend(_ row: LedgerRow) throws {
            func require(_ condition: Bool, _ reason: String) throws {
                guard condition else { throw LedgerError.damaged(entry: row.id, reason: reason) }
            }
            try require(row.id == entries, "the entry before it is missing")
            try require(row.previousHash == hash, "it does not follow the entry before it")
            try require(row.entry.hash(index: row.id, previous: hash) == row.hash, "its content was changed")
            try require(row.entry.objection == nil, row.entry.objection ?? "")
            if row.id == 0 {
                run = Hash256(hex: row.entry.note)
                try require(row.entry.kind == .genesis && run != nil, "it binds no run")
            } else {
                try require(row.entry.kind != .genesis, "it is a second genesis")
            }
            for posting in row.entry.postings {
                let (sum, overflow) = (balances[posting.account] ?? 0).addingReportingOverflow(posting.amount)
                try require(
                    !overflow && (sum >= 0 || posting.account == .issuance), "\(posting.account) is overdrawn")
                balances[posting.account] = sum
            }
            entries += 1
            postings += Int64(row.entry.postings.count)
            hash = row.hash
        }
    }
}
