import Foundation
import GRDB
import Ledger
import Orchestration

extension Settlement {
    /// Enters the movement into the ledger, in the caller's transaction.
    func enter(in database: Database) throws {
        let time = Int64(Date().timeIntervalSince1970 * 1000)
        switch self {
        case .earned(let worker, _, let amount, let withheld):
            _ = try Ledger.earn(worker, amount, withheld: withheld, reference: reference, time: time, in: database)
        case .audited(let verifier, _, let amount):
            _ = try Ledger.creditAudit(verifier, amount, reference: reference, time: time, in: database)
        case .charged(let worker, _, let amount):
            _ = try Ledger.charge(worker, atMost: amount, reference: reference, time: time, in: database)
        case .staked(let worker, _, let amount):
            _ = try Ledger.grantStake(worker, amount, reference: reference, time: time, in: database)
        case .promised(let worker, _, let amount):
            _ = try Ledger.promise(worker, amount, reference: reference, time: time, in: database)
        case .vested(let worker, _, let amount, let withheld):
            _ = try Ledger.vest(worker, amount, withheld: withheld, reference: reference, time: time, in: database)
        case .forfeited(let worker, _, let amount):
            _ = try Ledger.forfeit(worker, amount, reference: reference, time: time, in: database)
        case .fined(let worker, _, let amount):
            _ = try Ledger.fine(worker, atMost: amount, reference: reference, time: time, in: database)
        case .revoked(let worker, _, let amount):
            _ = try Ledger.revoke(worker, atMost: amount, reference: reference, time: time, in: database)
        case .refunded(let worker, let group, let promised):
            let taken = ["charged", "fined"].map { "\($0)/\(group.hex)" }
            _ = try Ledger.refund(
                worker, entries: taken, promised: promised, burnedBy: "forfeited/\(group.hex)", reference: reference,
                time: time, in: database)
        case .slashed(let worker):
            _ = try Ledger.burnStake(of: worker, reference: reference, time: time, in: database)
        }
    }
}
