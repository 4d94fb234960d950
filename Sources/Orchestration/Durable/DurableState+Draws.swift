import Identity

/// Groups that are not audited: drawn, scored, vouched for or forfeited.
extension DurableState {
    mutating func applyDraw(_ fact: Fact) throws(FactMismatch) {
        switch fact {
        case .epochBegan(let number, let commitment, let next):
            try require(number == (epoch.map { $0.number + 1 } ?? 0), "epoch \(number) is not the next one")
            epoch = EpochRecord(
                number: number, commitment: commitment, next: next, began: counters.received,
                revealed: revealedSecret)
        case .epochRevealed(let number, let secret):
            try require(epoch?.number == number, "epoch \(number) is not the present one")
            try require(
                epoch?.commitment == AuditDraw.commitment(to: secret), "the secret of epoch \(number) is another one")
            revealedSecret = secret
        case .auditDrawn(let group, let epoch, let probability, let isDrawn):
            try applyDrawn(group, GroupRecord.Draw(epoch: epoch, probability: probability, isDrawn: isDrawn))
        case .groupScored(let group, _, let credit):
            try applyScored(group, credit: credit)
        case .groupPicked(let group, let isForeseen):
            try applyPicked(group, isForeseen: isForeseen ?? false)
        case .groupVested(let group, let worker, _, let withheld):
            try applyVested(group, worker, withheld: withheld)
        case .creditForfeited(let worker, let group, let forfeited, let fined, let fromEarnings):
            try applyForfeited(worker, group, forfeited: forfeited, fined: fined, fromEarnings: fromEarnings)
        default: break
        }
    }

    private mutating func applyDrawn(_ group: Hash256, _ draw: GroupRecord.Draw) throws(FactMismatch) {
        let record = try found(groups[group], "group \(group)")
        try require(record.phase == .queued && record.draw == nil, "group \(group) was drawn before")
        groups[group]?.draw = draw
        guard !draw.isDrawn else { return }
        auditQueue.removeAll { $0 == group }
        groups[group]?.phase = .scoring
        scoringGroups.insert(group)
        updateWorker(record.worker) { worker in
            worker.pendingGroups.removeAll { $0 == group }
            worker.waitingGroups.append(group)
        }
        counters.spared += 1
    }

    private mutating func applyScored(_ group: Hash256, credit: Int64) throws(FactMismatch) {
        let record = try found(groups[group], "group \(group)")
        try require(record.phase == .scoring, "group \(group) is not being scored")
        try require(credit >= 0, "group \(group) has a negative credit")
        scoringGroups.remove(group)
        groups[group]?.phase = .provisional
        provisionalGroups.append(group)
        updateWorker(record.worker) {
            $0.unvested.append(UnvestedCredit(group: group, ordinal: record.ordinal, amount: credit))
        }
    }

    private mutating func applyPicked(_ group: Hash256, isForeseen: Bool) throws(FactMismatch) {
        let record = try found(groups[group], "group \(group)")
        try require(record.isWaiting, "group \(group) does not wait unaudited")
        stopWaiting(group, record)
        groups[group]?.phase = .queued
        groups[group]?.vouchesThrough = isForeseen ? 0 : counters.received
        // A batch waits for it.
        auditQueue.insert(group, at: 0)
        updateWorker(record.worker) { $0.pendingGroups.append(group) }
    }

    private mutating func applyVested(
        _ group: Hash256, _ worker: PublicKey, withheld: Int64
    ) throws(FactMismatch) {
        let promised = try found(
            workers[worker]?.unvested.first { $0.group == group }, "promised credit for group \(group)")
        if let record = groups[group] {
            switch record.phase {
            case .provisional:
                stopWaiting(group, record)
                groups[group]?.phase = .accepted
                acceptedGroups.append(group)
            case .batched: break
            case .queued, .auditing, .scoring, .accepted, .setAside:
                try require(false, "group \(group) does not wait for an audit that vouches for it")
            }
        }
        updateWorker(worker) { worker in
            worker.unvested.removeAll { $0.group == group }
            worker.accepted += 1
            worker.earn(promised.amount, withheld: withheld)
        }
        counters.accepted += 1
        counters.vested += 1
    }

    private mutating func applyForfeited(
        _ key: PublicKey, _ group: Hash256, forfeited: Int64, fined: Int64, fromEarnings: Int64?
    ) throws(FactMismatch) {
        let worker = try found(workers[key], "worker of group \(group)")
        try require(worker.unvestedCredit == forfeited, "the worker of group \(group) has another promised credit")
        // What has an audit of its own earns its credit by that.
        let burned = worker.unvested.filter { promised in
            switch groups[promised.group]?.phase {
            case .queued, .auditing: false
            case .scoring, .provisional, .accepted, .batched, .setAside, nil: promised.group != group
            }
        }
        for (other, record) in groups where record.worker == key && record.verdict != nil {
            // Whatever became of that verdict, this one takes all that was promised.
            groups[other]?.verdict?.forfeited = []
        }
        var earnings: Int64 = 0
        let stake = fromEarnings == nil ? min(worker.staked, max(0, fined)) : 0
        updateWorker(key) { worker in
            worker.unvested = []
            worker.staked -= stake
            earnings = worker.pay(atMost: fromEarnings ?? max(0, fined) - stake)
        }
        if var verdict = groups[group]?.verdict {
            verdict.forfeited = burned
            verdict.earningsTaken = saturatingSum(verdict.earningsTaken, earnings)
            verdict.stakeTaken = stake
            groups[group]?.verdict = verdict
        }
    }

    /// Whether another group's audit may make a promised credit count: not where its own is under way or called for.
    func canBeVouchedFor(_ promised: UnvestedCredit) -> Bool {
        guard !promised.isDoubted else { return false }
        // Of a group that a checkpoint covers, nothing is left to say.
        guard let record = groups[promised.group] else { return true }
        switch record.phase {
        case .queued, .auditing: return false
        case .scoring, .provisional, .accepted, .batched, .setAside: break
        }
        switch record.check?.purpose {
        case .vesting, .doubted, .unavailable, .arbitrating: return false
        case .planted, .repeated, .reopened, nil: return !record.isSuspect
        }
    }

    /// Takes a group out of those that wait unaudited.
    mutating func stopWaiting(_ group: Hash256, _ record: GroupRecord) {
        scoringGroups.remove(group)
        provisionalGroups.removeAll { $0 == group }
        updateWorker(record.worker) { $0.waitingGroups.removeAll { $0 == group } }
    }
}
