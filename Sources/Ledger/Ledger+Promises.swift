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
}
