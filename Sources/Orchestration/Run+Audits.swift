import Identity

extension Run {
    /// Notes that a verifier is ready for so many more groups.
    mutating func requestAudits(_ from: Correspondent, _ groups: Int, _ now: Instant) {
        guard let key = sender(from, .verifier, now) else { return }
        guard noteRequest(key, from, groups) else {
            resendAudits(key, answering: from)
            return
        }
        if groups > 0, !presence.waitingVerifiers.contains(key) { presence.waitingVerifiers.append(key) }
    }

    /// Sends a verifier the audits that it holds, since it may not know of them.
    mutating func resendAudits(_ key: PublicKey, answering: Correspondent? = nil) {
        guard let connection = presence.members[key]?.connection else { return }
        // What it has returned already needs no second replay.
        let held = (state.verifiers[key]?.liveAudits ?? []).sorted()
            .filter { presence.auditDeadlines[$0] != .never }.compactMap { audit($0) }
        if !held.isEmpty || answering != nil {
            outbox.append(.sendAudits(to: answering ?? Correspondent(connection), held))
        }
    }

    func audit(_ id: UInt64) -> Audit? {
        guard let group = state.audits[id]?.group, let record = state.groups[group],
            let version = state.versions[record.version]
        else { return nil }
        return Audit(
            id: id, group: group, slot: record.slot, groupID: configuration.groupID(slot: record.slot),
            worker: record.worker, version: version)
    }

    /// Hands groups out to verifiers that wait for them.
    mutating func assignAudits(_ now: Instant) {
        guard !presence.waitingVerifiers.isEmpty, !state.auditQueue.isEmpty || !state.checkQueue.isEmpty else {
            return
        }
        var assigned: [PublicKey: [Audit]] = [:]
        var wanted = presence.waitingVerifiers.reduce(0) { $0 + (presence.members[$1]?.request?.count ?? 0) }
        // Else a backlog of audits would keep every look at the verifiers waiting until it is given up.
        assignChecks(&assigned, share: 4, now)
        for group in state.auditQueue where mayAudit(group) {
            if wanted <= 0 { break }
            guard let verifier = verifier(for: group, assigned) else { continue }
            let plant = drawPlant(for: verifier)
            if let plant, plant.comesFirst {
                assign(check: plant.group, to: verifier, &assigned, now)
                wanted -= 1
            }
            guard hasRoom(verifier, assigned) else { continue }
            let id = state.nextAudit
            commit(.auditAssigned(audit: id, group: group, verifier: verifier))
            startAudit(id, now)
            wanted -= 1
            if let audit = audit(id) { assigned[verifier, default: []].append(audit) }
            if let plant, !plant.comesFirst, hasRoom(verifier, assigned) {
                assign(check: plant.group, to: verifier, &assigned, now)
                wanted -= 1
            }
        }
        assignChecks(&assigned, share: 1, now)
        for key in presence.waitingVerifiers {
            guard let audits = assigned[key], let request = presence.members[key]?.request else { continue }
            cancelRequests(key)
            outbox.append(.sendAudits(to: request.from, audits))
        }
    }

    /// Starts the clock of an audit that a verifier gets.
    mutating func startAudit(_ id: UInt64, _ now: Instant) {
        let deadline = now.advanced(by: configuration.timing.audit)
        presence.auditDeadlines[id] = deadline
        expect(deadline)
    }

    /// Whether a verifier takes one more audit than it holds and was just given, in one of `share` places of its request.
    func hasRoom(_ key: PublicKey, _ assigned: [PublicKey: [Audit]], share: Int = 1) -> Bool {
        guard let request = presence.members[key]?.request else { return false }
        let held = state.verifiers[key]?.liveAudits.count ?? 0
        return (assigned[key]?.count ?? 0) < max(1, request.count / share)
            && held < configuration.limits.auditsPerVerifier
    }

    /// Whether a worker's group may be audited now: a worker on probation has as many groups in audit as it has
    /// strikes left, so that it loses its place before one more is audited.
    private func mayAudit(_ group: Hash256) -> Bool {
        guard let record = state.groups[group], let worker = state.workers[record.worker] else { return false }
        return !worker.isOnProbation(isForeign: record.isAlwaysAudited) || record.dispute != nil
            || worker.auditing + worker.disputed < max(1, configuration.strikes - worker.strikes)
    }

    /// Picks the verifier for a group, by hash among those that may have it.
    private func verifier(for group: Hash256, _ assigned: [PublicKey: [Audit]]) -> PublicKey? {
        guard let record = state.groups[group] else { return nil }
        return preferred(
            presence.waitingVerifiers.filter { isEligible($0, for: record) && hasRoom($0, assigned) }, for: group
        ) { isEligible($0, for: record) }
    }

    /// Picks a verifier by hash among those that have not lost the group before.
    ///
    /// Others get it while nobody else is connected that may have it, or when those have not asked for so long that they may
    /// never do: else one that asks all the time could have every group back that it gives up, until nobody tries any more.
    func preferred(_ verifiers: [PublicKey], for group: Hash256, _ isEligible: (PublicKey) -> Bool) -> PublicKey? {
        guard let record = state.groups[group] else { return nil }
        var able = verifiers.filter { !record.losers.contains($0) }
        if able.isEmpty {
            let isHopeful = connectedMembers(.verifier).contains {
                isEligible($0.key) && !record.losers.contains($0.key)
            }
            guard !isHopeful || presence.now >= presence.searches[group] ?? .never else { return nil }
            able = verifiers
            if able.count > 1, let avoided = record.avoided { able.removeAll { $0 == avoided } }
        }
        guard able.count > 1 else { return able.first }
        var hash = SHA256()
        hash.update(configuration.secret)
        hash.update(group)
        hash.update(littleEndian: state.nextAudit)
        let draw = hash.finalize().withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
        return able[Int(UInt64(littleEndian: draw) % UInt64(able.count))]
    }

    /// Whether a verifier may look at a group: not its own, and not what it has already accused.
    private func isEligible(_ key: PublicKey, for record: GroupRecord) -> Bool {
        key != record.worker && key != record.dispute?.accuser && state.verifiers[key]?.ban == nil
    }

    /// Takes in what an audit came to.
    mutating func takeVerdict(_ from: Correspondent, _ audit: UInt64, _ verdict: AuditVerdict, _ now: Instant) {
        guard let key = sender(from, .verifier, now) else { return }
        guard let record = state.audits[audit] else {
            // Settled, or taken away meanwhile; the verifier need not care.
            outbox.append(.acknowledge(to: from))
            return
        }
        guard record.verifier == key else {
            refuse(from, Refusal("not-your-audit", "Audit \(audit) was given to another verifier."))
            return
        }
        settle(audit, record, verdict, now)
        outbox.append(.acknowledge(to: from))
    }

    /// Notes that a verifier has handed in its replay of an audit, which is now being scored.
    mutating func holdAudit(_ from: Correspondent, _ audit: UInt64, _ now: Instant) {
        guard let key = sender(from, .verifier, now), state.audits[audit]?.verifier == key else { return }
        presence.auditDeadlines[audit] = .never
    }

    /// Takes in what a returned audit came to, whoever is connected by now.
    mutating func takeJudgement(
        _ audit: UInt64, _ verdict: AuditVerdict, answering from: Correspondent, _ now: Instant
    ) {
        if let record = state.audits[audit] { settle(audit, record, verdict, now) }
        if presence.keys[from.connection] != nil { outbox.append(.acknowledge(to: from)) }
    }

    private mutating func settle(_ audit: UInt64, _ record: AuditRecord, _ verdict: AuditVerdict, _ now: Instant) {
        guard let group = state.groups[record.group] else { return }
        if let purpose = record.purpose {
            settleCheck(audit, record, purpose, verdict)
            return
        }
        switch verdict {
        case .accepted(let acceptance): accept(record.group, group, audit, acceptance, record.verifier)
        case .rejected(let finding, _) where finding.severity == .refuse:
            loseAudit(audit, "\(finding.check): \(finding.reason)")
        case .rejected(let finding, let flops):
            accuse(record.group, group, audit, finding, max(0, flops), record.verifier, now)
        case .inconclusive(let reason): loseAudit(audit, reason)
        }
    }

    private mutating func accept(
        _ group: Hash256, _ record: GroupRecord, _ audit: UInt64, _ acceptance: AuditVerdict.Acceptance,
        _ verifier: PublicKey
    ) {
        let promised = state.workers[record.worker]?.unvested.first { $0.group == group }
        let amount = promised?.amount ?? acceptance.verifiedFLOPs
        let withheld = withholding(of: amount)
        commit(
            .groupAccepted(
                group: group, audit: audit, rewards: acceptance.rewards, verifiedFLOPs: amount, withheld: withheld,
                auditFLOPs: acceptance.auditFLOPs))
        presence.auditDeadlines[audit] = nil
        outbox.append(
            .settle(
                promised == nil
                    ? .earned(worker: record.worker, group: group, amount: amount, withheld: withheld)
                    : .vested(worker: record.worker, group: group, amount: amount, withheld: withheld)))
        settleAudit(verifier, audit, acceptance.auditFLOPs)
        let mean = acceptance.rewards.reduce(0, +) / Float(max(1, acceptance.rewards.count))
        report(.groupAccepted(group: group, worker: record.worker, version: record.version, meanReward: mean))
        noteStanding(record.worker)
        if let dispute = record.dispute { doubt(group, dispute) }
        // What is contested vouches for nothing: the trainer decides about this group alone, and may never get it.
        if !state.contestedGroups.contains(group) { vouch(by: record, through: record.vouchesThrough, audit: audit) }
        reviewAccount(record.worker)
        drawRepetition(group)
    }

    func withholding(of flops: Int64) -> Int64 {
        // In two parts, so that it cannot overflow.
        flops / 1000 * configuration.withheldPerMille + flops % 1000 * configuration.withheldPerMille / 1000
    }

    mutating func settleAudit(_ verifier: PublicKey, _ audit: UInt64, _ flops: Int64) {
        guard flops > 0 else { return }
        outbox.append(.settle(.audited(verifier: verifier, audit: audit, amount: flops)))
    }

    mutating func takeFaults(_ from: Correspondent, _ audits: [UInt64], _ reason: String, _ now: Instant) {
        guard let key = sender(from, .verifier, now) else { return }
        // Who has returned a replay cannot take it back: its rewards are being computed.
        for audit in audits
        where state.audits[audit]?.verifier == key && presence.auditDeadlines[audit] != .never {
            loseAudit(audit, reason)
        }
        outbox.append(.acknowledge(to: from))
    }

    /// An audit came to nothing through nobody's fault: another try, within bounds.
    mutating func loseAudit(_ audit: UInt64, _ reason: String) {
        guard let record = state.audits[audit] else { return }
        let reason = bounded(reason, Finding.maximumReasonBytes)
        commit(.auditLost(audit: audit, reason: reason))
        presence.auditDeadlines[audit] = nil
        if presence.searches[record.group] == nil { presence.searches[record.group] = endOfSearch(presence.now) }
        report(.auditLost(audit: audit, verifier: record.verifier, reason: reason))
        guard let group = state.groups[record.group] else { return }
        if let check = group.check, record.purpose != nil {
            if check.attempts >= configuration.limits.auditAttempts,
                !hasUntriedVerifier(group, { mayCheck($0, group, check.purpose) }) || check.attempts >= mostAttempts
            {
                giveUpCheck(of: record.group, group, check)
            }
        } else if group.auditAttempts >= configuration.limits.auditAttempts,
            !hasUntriedVerifier(group, { isEligible($0, for: group) }) || group.auditAttempts >= mostAttempts
        {
            // Who gives the second opinion cannot take the first one back by not giving it.
            if let dispute = group.dispute {
                stand(dispute, about: record.group, group, presence.now)
            } else {
                withdraw(record.group, "no audit came to a verdict")
            }
        }
    }

    /// Attempts after which an audit is given up although somebody has not tried: no more losers are remembered.
    private var mostAttempts: Int { configuration.limits.auditAttempts + GroupRecord.rememberedLosers }

    /// Whether a verifier is connected that has not lost this group yet: then it is not given up.
    private func hasUntriedVerifier(_ record: GroupRecord, _ isEligible: (PublicKey) -> Bool) -> Bool {
        connectedMembers(.verifier).contains { isEligible($0.key) && !record.losers.contains($0.key) }
    }
}
