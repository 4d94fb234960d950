import Identity

/// Credit of groups that were not audited: it counts when a later audit of the same key passes that the key could not
/// foresee, and is lost when one fails.
extension Run {
    /// A worker's audit passed: what it had handed in until that was decided on counts, as far as the audit reaches, as
    /// soon as all of it is decided that is in audit.
    ///
    /// Else a burst of wrong groups with a few good ones behind them would count, if the good ones' audits are the quicker.
    mutating func vouch(by record: GroupRecord, through ordinal: UInt64, audit: UInt64) {
        guard let worker = state.workers[record.worker], !worker.unvested.isEmpty else { return }
        let reach = reach(of: record)
        if reach > 0, ordinal > 0 {
            presence.owedVouches[record.worker, default: []].append(
                Presence.OwedVouch(audit: audit, through: ordinal, reach: reach))
        }
        spendVouches(of: record.worker)
        reviewAccount(record.worker)
    }

    /// Lets promised credit count for which nothing is undecided any more.
    mutating func spendVouches() {
        for key in presence.owedVouches.keys.sorted(by: { $0.hex < $1.hex }) { spendVouches(of: key) }
    }

    private mutating func spendVouches(of key: PublicKey) {
        guard let owed = presence.owedVouches.removeValue(forKey: key) else { return }
        let undecided = firstUndecided(of: key)
        var left: [Presence.OwedVouch] = []
        var (count, credit) = (0, Int64(0))
        for vouch in owed {
            guard undecided > vouch.through, let worker = state.workers[key] else {
                left.append(vouch)
                continue
            }
            for promised in coverage(of: worker, reach: vouch.reach, through: vouch.through) {
                vest(promised, of: key, audit: vouch.audit)
                (count, credit) = (count + 1, saturatingSum(credit, promised.amount))
            }
        }
        if !left.isEmpty { presence.owedVouches[key] = left }
        guard count > 0 else { return }
        report(.groupsVested(worker: key, count: count, credit: credit))
        noteStanding(key)
        reviewAccount(key)
    }

    /// The ordinal of a worker's oldest group that is in audit, accused, or in a check that may find it wrong.
    private func firstUndecided(of key: PublicKey) -> UInt64 {
        let pending = state.workers[key]?.pendingGroups ?? []
        let checked = state.checkQueue + state.audits.values.filter { $0.purpose != nil }.map(\.group)
        let contested = checked.filter { group in
            guard let record = state.groups[group], record.worker == key else { return false }
            switch record.check?.purpose {
            case .vesting, .doubted, .unavailable, .arbitrating: return true
            case .planted, .repeated, .reopened, nil: return record.doubt != nil
            }
        }
        return (pending + contested).compactMap { state.groups[$0]?.ordinal }.min() ?? .max
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
        presence.owedVouches[key] = nil
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
