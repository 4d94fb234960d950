import Identity

/// Credit of groups that were not audited: it counts when a later audit of the same key passes, and is lost when one
/// fails.
extension Run {
    /// A worker's audit passed: what it had handed in until that was decided counts from now on.
    mutating func vest(_ key: PublicKey, through ordinal: UInt64, audit: UInt64) {
        guard let worker = state.workers[key], !worker.unvested.isEmpty else { return }
        var count = 0
        var credit: Int64 = 0
        for promised in worker.unvested where promised.ordinal <= ordinal {
            switch state.groups[promised.group]?.phase {
            // Its own audit decides about it.
            case .queued, .auditing: continue
            default: break
            }
            let withheld = withholding(of: promised.amount)
            commit(.groupVested(group: promised.group, worker: key, audit: audit, withheld: withheld))
            outbox.append(
                .settle(.vested(worker: key, group: promised.group, amount: promised.amount, withheld: withheld)))
            count += 1
            credit = saturatingSum(credit, promised.amount)
        }
        guard count > 0 else { return }
        report(.groupsVested(worker: key, count: count, credit: credit))
        noteStanding(key)
    }

    /// A worker's group was found wrong: what was promised to it burns, and where that is less than what the groups that
    /// were not audited may have brought it, the rest is taken from its stake and its balance.
    ///
    /// An audit that is drawn with probability p stands for 1/p groups. So a wrong group costs (1 − p)/p times its credit
    /// when it is found, and brings its credit when it is not: no cheat gains by any pattern of cheating.
    mutating func forfeit(_ key: PublicKey, for group: Hash256, work: Int64, _ draw: GroupRecord.Draw?) {
        guard let worker = state.workers[key] else { return }
        let forfeited = worker.unvestedCredit
        let fined = max(0, Self.worthUnaudited(work, draw) - forfeited)
        if forfeited > 0 || fined > 0 || !worker.unvested.isEmpty {
            commit(.creditForfeited(worker: key, group: group, forfeited: forfeited, fined: fined))
            if forfeited > 0 {
                outbox.append(.settle(.forfeited(worker: key, group: group, amount: forfeited)))
            }
            if fined > 0 { outbox.append(.settle(.fined(worker: key, group: group, amount: fined))) }
            report(.creditForfeited(worker: key, forfeited: forfeited, fined: fined))
        }
        for waiting in worker.waitingGroups { withdraw(waiting, "another group of its worker was found wrong") }
    }

    /// g·(1 − p)/p: what the groups that were not audited may have brought a cheat for each that was.
    private static func worthUnaudited(_ work: Int64, _ draw: GroupRecord.Draw?) -> Int64 {
        guard let draw, draw.probability > 0, draw.probability < AuditDraw.certain else { return 0 }
        let product = UInt64(max(0, work)).multipliedFullWidth(by: UInt64(AuditDraw.certain - draw.probability))
        guard product.high < UInt64(draw.probability) else { return .max }
        let (quotient, remainder) = UInt64(draw.probability).dividingFullWidth(product)
        return saturatingSum(Int64(clamping: quotient), remainder > 0 ? 1 : 0)
    }

    /// Audits one more group of every worker that will hand in no other, so that its promised credit does not hang.
    mutating func closeAccounts() {
        guard isClosing || !presence.departures.isEmpty, let secret = drawSecret else { return }
        let keys = isClosing ? Set(state.workers.keys) : presence.departures
        for key in keys.sorted(by: { $0.hex < $1.hex }) {
            guard let worker = state.workers[key], worker.ban == nil, let last = worker.unvested.last else {
                presence.departures.remove(key)
                continue
            }
            if isVouching(for: worker, through: last.ordinal) { continue }
            let candidates = worker.unvested.map(\.group).filter { state.groups[$0].map(mayClose) ?? false }
            let chosen = candidates.min { AuditDraw.order($0, secret: secret) < AuditDraw.order($1, secret: secret) }
            guard let chosen, let record = state.groups[chosen] else {
                presence.departures.remove(key)
                continue
            }
            if record.isWaiting { pick(chosen) } else { openCheck(of: chosen, .vesting) }
        }
    }

    /// No batch is to come, so no later group either.
    private var isClosing: Bool { isAdaptive && state.cutStep >= configuration.steps }

    /// Whether some promised credit may still be vouched for before the run ends.
    var hasOpenAccounts: Bool {
        guard isClosing, !connectedMembers(.verifier).isEmpty else { return false }
        return state.workers.values.contains { worker in
            guard worker.ban == nil, let last = worker.unvested.last else { return false }
            return isVouching(for: worker, through: last.ordinal)
        }
    }

    private func mayClose(_ record: GroupRecord) -> Bool {
        switch record.phase {
        case .provisional: true
        case .batched: record.check == nil
        case .queued, .auditing, .scoring, .accepted, .setAside: false
        }
    }

    /// Whether an audit is under way that would vouch for everything promised to a worker.
    private func isVouching(for worker: WorkerRecord, through ordinal: UInt64) -> Bool {
        let audited = worker.pendingGroups.contains { (state.groups[$0]?.vouchesThrough ?? 0) >= ordinal }
        return audited
            || worker.unvested.contains { promised in
                guard let check = state.groups[promised.group]?.check else { return false }
                return check.purpose == .vesting && check.openedAt >= ordinal
            }
    }
}
