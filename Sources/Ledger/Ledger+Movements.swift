public import GRDB
public import Identity

/// The movements of a run; each is one entry.
extension Ledger {
    /// A worker earned verified FLOPs, of which a part is withheld as its stake.
    @discardableResult
    public static func earn(
        _ worker: PublicKey, _ amount: Int64, withheld: Int64, reference: String, note: String = "", time: Int64 = 0,
        in db: Database
    ) throws -> Outcome {
        let stake = min(max(0, withheld), max(0, amount))
        return try append(
            Entry(
                reference: reference, kind: .earned,
                postings: nonzero([(.issuance, -amount), (.worker(worker), amount - stake), (.stake(worker), stake)]),
                note: note, time: time),
            in: db)
    }

    /// A verifier earned the FLOPs of an audit.
    @discardableResult
    public static func creditAudit(
        _ verifier: PublicKey, _ amount: Int64, reference: String, note: String = "", time: Int64 = 0, in db: Database
    ) throws -> Outcome {
        try append(
            Entry(
                reference: reference, kind: .audited,
                postings: nonzero([(.issuance, -amount), (.verifier(verifier), amount)]), note: note, time: time),
            in: db)
    }

    /// An invitation grants stake.
    @discardableResult
    public static func grantStake(
        _ worker: PublicKey, _ amount: Int64, reference: String, note: String = "", time: Int64 = 0, in db: Database
    ) throws -> Outcome {
        try append(
            Entry(
                reference: reference, kind: .staked,
                postings: nonzero([(.issuance, -amount), (.stake(worker), amount)]), note: note, time: time),
            in: db)
    }

    static func nonzero(_ movements: [(Account, Int64)]) -> [Entry.Posting] {
        movements.filter { $0.1 != 0 }.map { Entry.Posting($0.0, $0.1) }
    }
}
