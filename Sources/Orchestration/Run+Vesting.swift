import Identity

/// Credit of groups that were not audited: it counts when a later audit of the same key passes that the key could not
/// foresee, and is lost when one fails.
extension Run {
    /// A worker's audit passed: what it had handed in until that was decided counts from now on, as far as the audit
    /// reaches.
    mutating func vouch(by record: GroupRecord, through ordinal: UInt64, audit: UInt64) {
        guard let worker = state.workers[record.worker], !worker.unvested.isEmpty else { return }
        let covered = coverage(of: worker, reach: reach(of: record), through: ordinal)
        var credit: Int64 = 0
        for promised in covered {
            vest(promised, of: record.worker, audit: audit)
            credit = saturatingSum(credit, promised.amount)
        }
        if !covered.isEmpty {
            report(.groupsVested(worker: record.worker, count: covered.count, credit: credit))
            noteStanding(record.worker)
        }
        reviewAccount(record.worker)
    }

    /// A group that waited for others' audits, or is in a batch, was replayed itself.
    mutating func vestItself(_ group: Hash256, of key: PublicKey, audit: UInt64) {
        guard let promised = state.workers[key]?.unvested.first(where: { $0.group == group }) else { return }
        vest(promised, of: key, audit: audit)
        report(.groupsVested(worker: key, count: 1, credit: promised.amount))
        noteStanding(key)
    }

    private mutating func vest(_ promised: UnvestedCredit, of key: PublicKey, audit: UInt64) {
        let withheld = withholding(of: promised.amount)
        commit(.groupVested(group: promised.group, worker: key, audit: audit, withheld: withheld))
        outbox.append(
            .settle(.vested(worker: key, group: promised.group, amount: promised.amount, withheld: withheld)))
    }

    /// What is promised to a worker and may count, oldest first, by audits that reach so far.
    func coverage(of worker: WorkerRecord, reach: Int64, through ordinal: UInt64) -> [UnvestedCredit] {
        var left = reach
        var covered: [UnvestedCredit] = []
        for promised in worker.unvested where promised.ordinal <= ordinal && state.canBeVouchedFor(promised) {
            guard promised.amount <= left else { break }
            left -= promised.amount
            covered.append(promised)
        }
        return covered
    }

    /// How much other work of its worker a passed audit vouches for, in FLOPs.
    ///
    /// An audit that is drawn with probability p stands for 1/p groups of its size. One that its worker could foresee has
    /// no draw, and says nothing about what the worker did when it did not expect one.
    func reach(of record: GroupRecord) -> Int64 {
        guard !record.isAlwaysAudited else { return 0 }
        let (reach, overflow) = Self.worthUnaudited(record.work, record.draw)
            .multipliedReportingOverflow(by: configuration.auditing.vouchFactor)
        return overflow ? .max : reach
    }

    /// A worker's group was found wrong: what was promised to it burns, and where that is less than what the groups that
    /// were not audited may have brought it, the rest is taken from its earnings.
    ///
    /// An audit that is drawn with probability p stands for 1/p groups. So a wrong group costs (1 − p)/p times its credit
    /// when it is found, and brings its credit when it is not: no cheat gains by any pattern of cheating. Stake is not
    /// touched: a single mismatch may be bad memory, and costs credit and streak.
    mutating func forfeit(_ key: PublicKey, for group: Hash256, work: Int64, _ draw: GroupRecord.Draw?) {
        guard let worker = state.workers[key] else { return }
        let forfeited = worker.unvestedCredit
        let fined = min(worker.balance, max(0, Self.worthUnaudited(work, draw) - forfeited))
        if forfeited > 0 || fined > 0 || !worker.unvested.isEmpty {
            commit(
                .creditForfeited(worker: key, group: group, forfeited: forfeited, fined: fined, fromEarnings: fined))
            if forfeited > 0 {
                outbox.append(.settle(.forfeited(worker: key, group: group, amount: forfeited)))
            }
            if fined > 0 { outbox.append(.settle(.fined(worker: key, group: group, amount: fined))) }
            report(.creditForfeited(worker: key, forfeited: forfeited, fined: fined))
        }
        for waiting in worker.waitingGroups { withdraw(waiting, "another group of its worker was found wrong") }
    }

    /// g·(1 − p)/p: what the groups that were not audited may have brought a cheat for each that was.
    static func worthUnaudited(_ work: Int64, _ draw: GroupRecord.Draw?) -> Int64 {
        guard let draw, draw.probability > 0, draw.probability < AuditDraw.certain else { return 0 }
        let product = UInt64(max(0, work)).multipliedFullWidth(by: UInt64(AuditDraw.certain - draw.probability))
        guard product.high < UInt64(draw.probability) else { return .max }
        let (quotient, remainder) = UInt64(draw.probability).dividingFullWidth(product)
        return saturatingSum(Int64(clamping: quotient), remainder > 0 ? 1 : 0)
    }
}
