/// Something wrong with the ledger or with what was asked of it.
public enum LedgerError: Error, Sendable, Hashable, CustomStringConvertible {
    /// There is no ledger at this path, or it cannot be opened.
    case unreadable(path: String, reason: String)
    /// The database belongs to another run.
    case anotherRun(expected: String, found: String)
    /// The ledger has no genesis entry yet.
    case notBegun
    /// An entry breaks a rule of double entry.
    case refused(reference: String, reason: String)
    /// An account would fall below zero or overflow.
    case overdrawn(account: String, balance: Int64, amount: Int64)
    /// Another entry has the same reference.
    case conflict(reference: String)
    /// The stored ledger is not what was once written.
    case damaged(entry: Int64?, reason: String)

    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .unreadable(let path, let reason):
            "The ledger at \(path) cannot be read: \(reason). Check the path and the permissions."
        case .anotherRun(let expected, let found):
            "The ledger is of run \(found), not of run \(expected). Use another run directory, or the run's own secret."
        case .notBegun: "The ledger has no genesis entry. Start the run once before you look at its ledger."
        case .refused(let reference, let reason): "The entry \(reference) was refused: \(reason)."
        case .overdrawn(let account, let balance, let amount):
            "The account \(account) holds \(balance), which a change of \(amount) would bring out of bounds."
        case .conflict(let reference): "The ledger has another entry with the reference \(reference)."
        case .damaged(let entry, let reason):
            "The ledger was changed after it was written: "
                + (entry.map { "entry \($0): " } ?? "") + "\(reason). Restore it from a backup."
        }
    }
}
