public import GRDB
public import Identity

/// What is taken from a worker for good, as far as it has it, and what of that is given back.
extension Ledger {
    /// Takes what a rejected audit cost from a worker's earnings.
    @discardableResult
    public static func charge(
        _ worker: PublicKey, atMost amount: Int64, reference: String, note: String = "", time: Int64 = 0,
        in db: Database
    ) throws -> Outcome {
        try take(.charged, from: .worker(worker), atMost: amount, reference, note, time, in: db)
    }

    /// Takes a fine for groups that were not audited from a worker's earnings.
    @discardableResult
    public static func fine(
        _ worker: PublicKey, atMost amount: Int64, reference: String, note: String = "", time: Int64 = 0,
        in db: Database
    ) throws -> Outcome {
        try take(.fined, from: .worker(worker), atMost: amount, reference, note, time, in: db)
    }

    /// Takes back the credit of a group that was accepted wrongly from a worker's earnings.
    @discardableResult
    public static func revoke(
        _ worker: PublicKey, atMost amount: Int64, reference: String, note: String = "", time: Int64 = 0,
        in db: Database
    ) throws -> Outcome {
        try take(.revoked, from: .worker(worker), atMost: amount, reference, note, time, in: db)
    }

    /// Burns a worker's whole stake.
    @discardableResult
    public static func burnStake(
        of worker: PublicKey, reference: String, note: String = "", time: Int64 = 0, in db: Database
    ) throws -> Outcome {
        try take(.slashed, from: .stake(worker), atMost: .max, reference, note, time, in: db)
    }

    /// Gives back what entries took from a worker's earnings and stake; so much of what was promised to it and burned is
    /// promised again, and no more than burned.
    @discardableResult
    public static func refund(
        _ worker: PublicKey, entries: [String], promised: Int64 = 0, burnedBy forfeiture: String? = nil,
        reference: String, note: String = "", time: Int64 = 0, in db: Database
    ) throws -> Outcome {
        if try isKnown(reference, in: db) { return .known }
        var given: [Account: Int64] = [:]
        for entry in entries {
            for posting in try LedgerRow.fetch(reference: entry, in: db)?.entry.postings ?? [] {
                given[posting.account, default: 0] -= posting.amount
            }
        }
        let burned = try forfeiture.flatMap { try LedgerRow.fetch(reference: $0, in: db) }?.entry.postings
        let most = burned?.first { $0.account == .burned }?.amount ?? 0
        let again = min(max(0, promised), most)
        given[.unvested(worker), default: 0] += again
        given[.burned, default: 0] -= again
        let postings = given.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        return try append(
            Entry(reference: reference, kind: .refunded, postings: nonzero(postings), note: note, time: time), in: db)
    }

    private static func take(
        _ kind: Entry.Kind, from account: Account, atMost amount: Int64, _ reference: String, _ note: String,
        _ time: Int64, in db: Database
    ) throws -> Outcome {
        if try isKnown(reference, in: db) { return .known }
        let taken = min(max(0, amount), try balance(of: account, in: db))
        return try append(
            Entry(
                reference: reference, kind: kind, postings: nonzero([(account, -taken), (.burned, taken)]), note: note,
                time: time),
            in: db)
    }

    private static func isKnown(_ reference: String, in db: Database) throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM ledgerEntry WHERE reference = ?)", arguments: [reference]) ?? false
    }
}
