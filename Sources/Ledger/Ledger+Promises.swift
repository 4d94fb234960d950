public import GRDB
public import Identity

/// The movements that groups without an audit of their own bring about.
extension Ledger {
    /// A worker is promised the credit of a group that was not audited.
    @discardableResult
    public static func promise(
        _ worker: PublicKey, _ amount: Int64, reference: String, note: String = "", time: Int64 = 0, in db: Database
    ) throws -> Outcome {
        try append(
            Entry(
                reference: reference, kind: .promised,
                postings: nonzero([(.issuance, -amount), (.unvested(worker), amount)]), note: note, time: time),
            in: db)
    }

    /// A promised credit counts from now on, of which a part is withheld as the worker's stake.
    @discardableResult
    public static func vest(
        _ worker: PublicKey, _ amount: Int64, withheld: Int64, reference: String, note: String = "", time: Int64 = 0,
        in db: Database
    ) throws -> Outcome {
        let stake = min(max(0, withheld), max(0, amount))
        return try append(
            Entry(
                reference: reference, kind: .vested,
                postings: nonzero([
                    (.unvested(worker), -amount), (.worker(worker), amount - stake), (.stake(worker), stake),
                ]), note: note, time: time),
            in: db)
    }

    /// Burns what is promised to a worker.
    @discardableResult
    public static func forfeit(
        _ worker: PublicKey, _ amount: Int64, reference: String, note: String = "", time: Int64 = 0, in db: Database
    ) throws -> Outcome {
        try append(
            Entry(
                reference: reference, kind: .forfeited,
                postings: nonzero([(.unvested(worker), -amount), (.burned, amount)]), note: note, time: time),
            in: db)
    }

    /// Takes a fine from a worker's stake, then from its earnings, as far as they go, for good.
    @discardableResult
    public static func fine(
        _ worker: PublicKey, atMost amount: Int64, reference: String, note: String = "", time: Int64 = 0,
        in db: Database
    ) throws -> Outcome {
        if try isKnown(reference, in: db) { return .known }
        let wanted = max(0, amount)
        let stake = min(wanted, try balance(of: .stake(worker), in: db))
        let earnings = min(wanted - stake, try balance(of: .worker(worker), in: db))
        return try append(
            Entry(
                reference: reference, kind: .fined,
                postings: nonzero([
                    (.stake(worker), -stake), (.worker(worker), -earnings), (.burned, stake + earnings),
                ]), note: note, time: time),
            in: db)
    }

    /// Takes back the credit of a group that was accepted wrongly, as far as the worker's earnings go.
    @discardableResult
    public static func revoke(
        _ worker: PublicKey, atMost amount: Int64, reference: String, note: String = "", time: Int64 = 0,
        in db: Database
    ) throws -> Outcome {
        if try isKnown(reference, in: db) { return .known }
        let taken = min(max(0, amount), try balance(of: .worker(worker), in: db))
        return try append(
            Entry(
                reference: reference, kind: .revoked,
                postings: nonzero([(.worker(worker), -taken), (.burned, taken)]), note: note, time: time),
            in: db)
    }

    /// Gives back what entries took from a worker; what was promised to it and burned becomes earnings.
    @discardableResult
    public static func refund(
        _ worker: PublicKey, entries: [String], reference: String, note: String = "", time: Int64 = 0, in db: Database
    ) throws -> Outcome {
        if try isKnown(reference, in: db) { return .known }
        var given: [Account: Int64] = [:]
        for entry in entries {
            for posting in try LedgerRow.fetch(reference: entry, in: db)?.entry.postings ?? [] {
                switch posting.account {
                case .burned: given[.burned, default: 0] -= posting.amount
                case .stake(worker): given[.stake(worker), default: 0] -= posting.amount
                case .worker(worker), .unvested(worker): given[.worker(worker), default: 0] -= posting.amount
                default: break
                }
            }
        }
        let postings = given.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        return try append(
            Entry(reference: reference, kind: .refunded, postings: nonzero(postings), note: note, time: time), in: db)
    }
}
