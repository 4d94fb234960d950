import Identity

@testable import Orchestration

/// The ledger as the settlements amount to it: every account, and that none is overdrawn.
struct Books {
    private(set) var worker: [PublicKey: Int64] = [:]
    private(set) var stake: [PublicKey: Int64] = [:]
    private(set) var unvested: [PublicKey: Int64] = [:]
    private(set) var verifier: [PublicKey: Int64] = [:]
    private(set) var issued: Int64 = 0
    private(set) var burned: Int64 = 0
    private var taken: [Hash256: Int64] = [:]
    private var forfeited: [Hash256: Int64] = [:]

    /// Enters one movement, and says what is wrong with it.
    mutating func enter(_ settlement: Settlement) -> [String] {
        switch settlement {
        case .earned(let key, _, let amount, let withheld):
            issued += amount
            worker[key, default: 0] += amount - withheld
            stake[key, default: 0] += withheld
        case .audited(let key, _, let amount):
            issued += amount
            verifier[key, default: 0] += amount
        case .charged(let key, let group, let amount): take(key, group, balance: amount)
        case .staked(let key, _, let amount):
            issued += amount
            stake[key, default: 0] += amount
        case .slashed(let key):
            burned += stake[key] ?? 0
            stake[key] = 0
        case .promised(let key, _, let amount):
            issued += amount
            unvested[key, default: 0] += amount
        case .vested(let key, _, let amount, let withheld):
            unvested[key, default: 0] -= amount
            worker[key, default: 0] += amount - withheld
            stake[key, default: 0] += withheld
        case .forfeited(let key, let group, let amount):
            unvested[key, default: 0] -= amount
            burned += amount
            forfeited[group] = amount
        case .fined(let key, let group, let amount): take(key, group, balance: amount)
        case .revoked(let key, let group, let amount): take(key, group, balance: amount)
        case .refunded(let key, let group, let promised):
            let back = taken.removeValue(forKey: group) ?? 0
            worker[key, default: 0] += back
            unvested[key, default: 0] += promised
            burned -= back + promised
            if promised > forfeited[group] ?? 0 { return ["\(settlement.reference) gives back what never burned"] }
        }
        let all = [worker, stake, unvested, verifier].flatMap(\.values)
        var problems = all.contains { $0 < 0 } ? ["\(settlement.reference) overdraws an account"] : []
        if all.reduce(burned, +) != issued { problems.append("the ledger does not sum to 0") }
        return problems
    }

    private mutating func take(_ key: PublicKey, _ group: Hash256, balance amount: Int64) {
        let paid = min(worker[key] ?? 0, amount)
        worker[key, default: 0] -= paid
        burned += paid
        taken[group, default: 0] += paid
    }

    /// What of the state the ledger contradicts.
    func check(_ state: DurableState) -> [String] {
        state.workers.flatMap { key, record -> [String] in
            var problems: [String] = []
            if record.staked != stake[key] ?? 0 { problems.append("a stake is not what the ledger says") }
            if record.balance != worker[key] ?? 0 { problems.append("a balance is not what the ledger says") }
            if record.unvestedCredit != unvested[key] ?? 0 { problems.append("unvested credit is not in the ledger") }
            return problems
        }
    }

    /// All that a worker has, promised credit included.
    func wealth(_ key: PublicKey) -> Int64 { (worker[key] ?? 0) + (stake[key] ?? 0) + (unvested[key] ?? 0) }
}
