import Identity

/// Which groups of trusted workers are audited.
extension Run {
    var isAdaptive: Bool { configuration.auditing.mode == .adaptive }

    /// The secret of the present epoch; nil where there is none.
    var drawSecret: Hash256? {
        state.epoch.map { AuditDraw.secret(ofEpoch: $0.number, runSecret: configuration.secret) }
    }

    /// What is public of the draws.
    var drawEpoch: DrawEpoch? {
        state.epoch.map {
            DrawEpoch(number: $0.number, commitment: $0.commitment, next: $0.next, revealed: $0.revealed)
        }
    }

    /// Begins the first epoch, or the next one when the present one has had its groups.
    mutating func openEpoch() {
        guard isAdaptive, !presence.isStopped else { return }
        let secret = configuration.secret
        func commitment(_ epoch: UInt64) -> Hash256 {
            AuditDraw.commitment(to: AuditDraw.secret(ofEpoch: epoch, runSecret: secret))
        }
        var number: UInt64 = 0
        if let present = state.epoch {
            let isOver = state.counters.received - present.began >= max(1, configuration.auditing.epochGroups)
            guard isOver || isRevealed(present) else { return }
            revealEpoch()
            number = present.number + 1
        }
        commit(.epochBegan(epoch: number, commitment: commitment(number), next: commitment(number + 1)))
        guard let epoch = drawEpoch else { return }
        let everyone = connectedMembers().filter { $0.role != .trainer }.compactMap(\.connection)
        if !everyone.isEmpty { outbox.append(.announceEpoch(to: everyone, epoch)) }
        report(.epochBegan(epoch))
        reviewDepartures()
    }

    /// Tells the secret of the present epoch, so that its draws can be re-checked; nothing is drawn with it from then on.
    mutating func revealEpoch() {
        guard isAdaptive, let present = state.epoch, !isRevealed(present) else { return }
        let secret = AuditDraw.secret(ofEpoch: present.number, runSecret: configuration.secret)
        commit(.epochRevealed(epoch: present.number, secret: secret))
    }

    private func isRevealed(_ epoch: EpochRecord) -> Bool {
        state.revealedSecret == AuditDraw.secret(ofEpoch: epoch.number, runSecret: configuration.secret)
    }

    /// The probability in millionths with which a group of a worker is audited.
    ///
    /// The larger of three: the floor; 1 over the verified groups in a row; and what deterrence asks for. With earnings B,
    /// unvested credit U and a group's credit g, a cheat must not gain: p·(B + U + g) ≥ g, where B + U is without what the
    /// groups in audit would cost. "Groups" are counted in FLOPs
    /// of the larger of this group and the run's mean, so that small groups buy no trust for large ones.
    func auditProbability(work: Int64, of worker: WorkerRecord) -> UInt32 {
        let auditing = configuration.auditing
        guard auditing.mode == .adaptive, work > 0, state.counters.verifiedGroups > 0,
            worker.unvested.count < auditing.unvestedGroups
        else { return AuditDraw.certain }
        let unit = max(work, state.counters.meanWork)
        let (needed, overflow) = unit.multipliedReportingOverflow(by: max(1, auditing.trustedAfter))
        guard !overflow, worker.streak >= needed else { return AuditDraw.certain }
        let atStake = saturatingSum(worker.balance, worker.unvestedCredit)
        // What its groups in audit would cost if they are wrong cannot be lost twice.
        let bound = worker.pendingGroups.reduce(Int64(0)) { sum, group in
            saturatingSum(sum, state.groups[group].map { Self.worthUnaudited($0.work, $0.draw) } ?? 0)
        }
        let atRisk = saturatingSum(atStake - min(atStake, bound), work)
        return max(
            auditing.floor, AuditDraw.millionths(unit, of: worker.streak), AuditDraw.millionths(work, of: atRisk))
    }

    /// The probability for a worker's next group, if it is of the usual size.
    func auditProbability(of worker: WorkerRecord, engine: String) -> UInt32 {
        engine.isEmpty ? auditProbability(work: state.counters.meanWork, of: worker) : AuditDraw.certain
    }

    /// Decides whether a group that was just journaled is audited.
    mutating func drawAudit(_ group: Hash256) {
        guard isAdaptive, let record = state.groups[group], !record.isAlwaysAudited,
            let worker = state.workers[record.worker], let epoch = state.epoch, let secret = drawSecret
        else { return }
        // An audit that everybody expects vouches for nothing, so one of the waiting groups is picked as well.
        if worker.unvested.count >= configuration.auditing.unvestedGroups { presence.accounts.insert(record.worker) }
        let probability = auditProbability(work: record.work, of: worker)
        guard probability < AuditDraw.certain else { return }
        let isDrawn = AuditDraw.isDrawn(group, probability: probability, secret: secret)
        commit(.auditDrawn(group: group, epoch: epoch.number, probability: probability, isDrawn: isDrawn))
        if !isDrawn { outbox.append(.scoreGroup(group)) }
    }

    /// Takes in the rewards of a group that is not audited; without them it is audited after all.
    mutating func takeScore(_ group: Hash256, _ rewards: [Float]?) {
        guard let record = state.groups[group], record.phase == .scoring else { return }
        guard let rewards else {
            // What a scorer fails on may be of its worker's making.
            pick(group, isForeseen: true)
            return
        }
        commit(.groupScored(group: group, rewards: rewards, credit: record.work))
        outbox.append(.settle(.promised(worker: record.worker, group: group, amount: record.work)))
        report(
            .groupProvisional(
                group: group, worker: record.worker, probability: record.draw?.probability ?? AuditDraw.certain,
                meanReward: rewards.reduce(0, +) / Float(max(1, rewards.count))))
        noteStanding(record.worker)
    }

    /// Has a group audited that waits unaudited.
    mutating func pick(_ group: Hash256, isForeseen: Bool = false) {
        guard let record = state.groups[group], record.isWaiting else { return }
        commit(.groupPicked(group: group, isForeseen: isForeseen ? true : nil))
        report(.groupPicked(group: group, worker: record.worker))
    }

    /// Audits more where the next batch is complete but for groups that nobody has vouched for.
    ///
    /// A passed audit vouches for what its worker had handed in by then, so those with the most waiting groups come first;
    /// which of a worker's groups is picked is decided by HMAC, so that it cannot tell. While more groups may come, the
    /// audits drawn of those are waited for.
    mutating func pickForVesting() {
        guard !state.provisionalGroups.isEmpty, state.cutStep < configuration.steps, let secret = drawSecret else {
            return
        }
        let expected = state.acceptedGroups.count + state.pendingAuditCount
        var missing = configuration.groupsPerBatch - expected
        guard missing > 0, missing <= state.provisionalGroups.count else { return }
        let mayCarry = !state.liveLeases.isEmpty && (leaseRoom > 0 || presence.batchRequest == nil)
        guard !mayCarry || state.provisionalGroups.count - missing >= carriedGroups else { return }
        var short: [PublicKey: [Hash256]] = [:]
        var uncovered: [Hash256] = []
        var covered: [PublicKey: Set<Hash256>] = [:]
        for group in state.provisionalGroups {
            guard let key = state.groups[group]?.worker else { continue }
            let audits = covered[key] ?? coveredByAudits(of: key)
            covered[key] = audits
            if audits.contains(group) {
                missing -= 1
            } else {
                short[key, default: []].append(group)
                uncovered.append(group)
            }
        }
        missing -= provisionalMembers(forBatch: state.cutStep + 1, of: uncovered).count
        guard missing > 0 else { return }
        let chosen = short.compactMap { _, groups in
            groups.map { (group: $0, order: AuditDraw.order($0, secret: secret), count: groups.count) }
                .min { ($0.order, $0.group) < ($1.order, $1.group) }
        }
        for item in chosen.sorted(by: { $0.count != $1.count ? $0.count > $1.count : $0.order < $1.order })
        where missing > 0 {
            guard let record = state.groups[item.group], let worker = state.workers[record.worker] else { continue }
            let reached = coverage(of: worker, reach: reach(of: record), through: state.counters.received)
            missing -= max(1, Set(reached.map(\.group)).intersection(short[record.worker] ?? []).count)
            pick(item.group)
        }
    }

    /// The promised groups of a worker that its audits under way would vouch for.
    private func coveredByAudits(of key: PublicKey) -> Set<Hash256> {
        guard let worker = state.workers[key] else { return [] }
        let owed = presence.owedVouches[key] ?? []
        var through = owed.map(\.through).max() ?? 0
        var left = owed.reduce(Int64(0)) { saturatingSum($0, $1.reach) }
        for group in worker.pendingGroups {
            guard let record = state.groups[group], record.vouchesThrough > 0 else { continue }
            let more = reach(of: record)
            if more > 0 { through = max(through, record.vouchesThrough) }
            left = saturatingSum(left, more)
        }
        return Set(coverage(of: worker, reach: left, through: through).map(\.group))
    }

    /// The provisional groups that a batch may take, out of these: few in all, fewer of one key, none in the last one.
    func provisionalMembers(forBatch step: UInt64, of groups: [Hash256]) -> [Hash256] {
        guard step < configuration.steps else { return [] }
        let share = configuration.auditing.provisionalShare(ofBatch: configuration.groupsPerBatch)
        var ofKey: [PublicKey: Int] = [:]
        var members: [Hash256] = []
        for group in groups where members.count < share.total {
            guard let worker = state.groups[group]?.worker, ofKey[worker, default: 0] < share.perKey else { continue }
            ofKey[worker, default: 0] += 1
            members.append(group)
        }
        return members
    }
}
