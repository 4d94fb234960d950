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
        case .slashed(let worker):
            _ = try Ledger.burnStake(of: worker, reference: reference, time: time, in: database)
        }
    }
}
