import Identity

extension Run {
    /// Journals a group that was handed in, or says why not.
    mutating func takeGroup(_ submission: Submission, _ from: Correspondent, _ now: Instant) {
        guard let key = sender(from, .worker, now) else { return }
        guard let lease = state.leases[submission.lease], lease.worker == key else {
            let isOld = submission.lease > 0 && submission.lease < state.nextLease
            refuseGroup(
                submission, key, from,
                isOld
                    ? Refusal("lease-settled", "Lease \(submission.lease) is not open for this key any more.")
                    : Refusal("lease-unknown", "There is no lease \(submission.lease)."))
            return
        }
        switch lease.phase {
        case .submitted(submission.group):
            sendReceipt(submission, key, from, duplicate: true)
        case .submitted(let first):
            takeSecondGroup(submission, first, key, from)
        case .ended(.rejected), .ended(.banned), .ended(.withdrawn), .ended(.stale):
            refuseGroup(
                submission, key, from, Refusal("lease-settled", "Lease \(submission.lease) has ended (\(lease.phase)).")
            )
        case .live, .ended:
            // The driver compares them too; here it holds for whatever drives the machine.
            guard submission.failure != nil || submission.engine == lease.engine else {
                refuseGroup(
                    submission, key, from,
                    Refusal(
                        "engine", "Lease \(submission.lease) was given for another engine than the group's.",
                        advice: "Hand in what the engine generated that was declared when the lease was given."))
                return
            }
            if let finding = submission.failure {
                rejectUnjournaled(submission, finding, key, from, now)
            } else {
                journalGroup(submission, lease, key, from, now)
            }
        }
    }

    private mutating func journalGroup(
        _ submission: Submission, _ lease: LeaseRecord, _ key: PublicKey, _ from: Correspondent, _ now: Instant
    ) {
        guard state.groups[submission.group] == nil else {
            refuseGroup(submission, key, from, Refusal("group-known", "This group answers another lease."))
            return
        }
        guard let version = state.versions[lease.version], isFresh(version, forBatch: state.cutStep + 1) else {
            endLease(submission.lease, .stale)
            refuseGroup(
                submission, key, from,
                Refusal("stale-version", "Version \(lease.version) is too old for every batch to come."))
            return
        }
        switch state.slots[lease.slot]?.phase {
        case .leased(let other) where other != submission.lease: endLease(other, .slotOwned)
        case .leased, .waiting: break
        case .owned, .batched, nil:
            refuseGroup(submission, key, from, Refusal("slot-owned", "Another group came first for this slot."))
            return
        }
        commit(
            .groupReceived(
                group: submission.group, lease: submission.lease, tokens: submission.tokens,
                work: submission.work > 0 ? submission.work : nil, content: submission.content,
                isAlwaysAudited: submission.isAlwaysAudited ? true : nil))
        presence.leaseClocks[submission.lease] = nil
        let isIdle = state.workers[key]?.liveLeases.isEmpty ?? true
        presence.returns[key] = nil
        presence.members[key]?.stalls = 0
        presence.members[key]?.stalledUntil = nil
        presence.members[key]?.pace.finishedGroup(at: now, isIdle: isIdle)
        sendReceipt(submission, key, from, duplicate: false)
        report(.groupReceived(group: submission.group, worker: key, version: lease.version))
        drawAudit(submission.group)
        reopenVerdicts(lease.slot, submission, lease)
    }

    private mutating func sendReceipt(
        _ submission: Submission, _ key: PublicKey, _ from: Correspondent, duplicate: Bool
    ) {
        outbox.append(
            .sendReceipt(
                to: from,
                Receipt(lease: submission.lease, group: submission.group, worker: key, duplicate: duplicate)))
    }

    private mutating func refuseGroup(
        _ submission: Submission, _ key: PublicKey, _ from: Correspondent, _ refusal: Refusal
    ) {
        refuse(from, refusal)
        report(.groupRefused(lease: submission.lease, worker: key, code: refusal.code))
    }

    /// A second payload for a lease that has one: nobody signs two by accident.
    private mutating func takeSecondGroup(
        _ submission: Submission, _ first: Hash256, _ key: PublicKey, _ from: Correspondent
    ) {
        if let failure = submission.failure, failure.severity == .refuse {
            refuseGroup(submission, key, from, Refusal(failure.check, failure.reason))
            return
        }
        let finding = Finding(
            check: "equivocation",
            reason: "Lease \(submission.lease) was answered with \(first) and then with \(submission.group).",
            severity: .slash)
        refuseGroup(submission, key, from, Refusal(finding.check, finding.reason, final: true))
        banWorker(key, finding)
    }

    /// A payload that failed a check which needs no replay.
    private mutating func rejectUnjournaled(
        _ submission: Submission, _ finding: Finding, _ key: PublicKey, _ from: Correspondent, _ now: Instant
    ) {
        refuseGroup(submission, key, from, Refusal(finding.check, finding.reason))
        guard finding.severity != .refuse else { return }
        reject(submission.group, lease: submission.lease, audit: 0, finding, auditFLOPs: 0, worker: key, now)
    }

    /// Counts a group as rejected and draws the consequences.
    mutating func reject(
        _ group: Hash256, lease: UInt64, audit: UInt64, _ finding: Finding, auditFLOPs: Int64, worker key: PublicKey,
        _ now: Instant
    ) {
        let record = state.groups[group]
        forgettingEarlier(of: record?.slot, group) { run in
            run.commit(
                .groupRejected(group: group, lease: lease, audit: audit, finding: finding, auditFLOPs: auditFLOPs))
        }
        presence.leaseClocks[lease] = nil
        if audit > 0, auditFLOPs > 0 {
            outbox.append(.settle(.charged(worker: key, group: group, amount: auditFLOPs)))
        }
        report(
            .groupRejected(
                group: group, worker: key, finding: finding, strikes: state.workers[key]?.strikes ?? 0))
        if audit > 0 {
            delay(key, now)
            // Only for what was journaled: the hash of anything else is a stranger's choice, and names no movement.
            forfeit(key, for: group, work: record?.work ?? 0, record?.draw)
        }
        punish(key, finding)
    }

    /// Draws the consequences of a wrong group for its worker's standing.
    mutating func punish(_ key: PublicKey, _ finding: Finding) {
        noteStanding(key, reason: "\(finding.check): \(finding.reason)")
        let strikes = state.workers[key]?.strikes ?? 0
        if finding.severity == .slash || strikes >= configuration.strikes { banWorker(key, finding) }
    }

    /// Carries out what takes a group out of its slot, then has the payloads of those forgotten that are gone by it.
    private mutating func forgettingEarlier(of slot: UInt64?, _ group: Hash256, _ change: (inout Run) -> Void) {
        let before = (slot.flatMap { state.slots[$0]?.earlier } ?? []) + [group]
        change(&self)
        let gone = before.filter { state.groups[$0] == nil }
        if slot != nil, !gone.isEmpty { outbox.append(.forgetGroups(gone)) }
    }

    /// Takes a worker's stake and place; what it has in flight is set aside, but for the groups that were drawn.
    ///
    /// Those are audited, and fined where they are wrong: else who sees its wrong group drawn would have itself banned and
    /// save the fine.
    mutating func banWorker(_ key: PublicKey, _ finding: Finding) {
        guard let worker = state.workers[key], worker.ban == nil else { return }
        commit(.workerBanned(worker: key, finding: finding, burned: worker.staked))
        outbox.append(.settle(.slashed(worker: key)))
        report(
            .workerBanned(
                worker: key, finding: finding, auditedGroups: worker.audited, burned: worker.staked))
        clear(key, finding, worker)
    }

    /// Takes a worker's place for what many of its groups together say; that is no proof, so its stake stays.
    mutating func refuseWorker(_ key: PublicKey, _ finding: Finding) {
        guard let worker = state.workers[key], worker.ban == nil else { return }
        commit(.workerBanned(worker: key, finding: finding, burned: 0))
        report(.workerBanned(worker: key, finding: finding, auditedGroups: worker.audited, burned: 0))
        clear(key, finding, worker)
    }

    /// Ends what a worker has in flight and its connection.
    private mutating func clear(_ key: PublicKey, _ finding: Finding, _ worker: WorkerRecord) {
        for lease in worker.liveLeases.sorted() { endLease(lease, .banned) }
        for group in worker.pendingGroups {
            guard let record = state.groups[group], Self.worthUnaudited(record.work, record.draw) == 0 else { continue }
            withdraw(group, "worker banned")
        }
        // It has no audit of its own to forfeit for.
        forfeit(key, for: SHA256.hash(key.rawBytes + Array(finding.check.utf8)), work: 0, nil)
        expel(key, finding)
    }

    /// Tells a banned member why, and closes its connection.
    mutating func expel(_ key: PublicKey, _ finding: Finding) {
        cancelRequests(key)
        guard let member = presence.members.removeValue(forKey: key), let connection = member.connection else { return }
        presence.keys[connection] = nil
        refuse(Correspondent(connection), Self.banned(finding))
        outbox.append(.close(connection))
        report(.memberLeft(key: key, role: member.role, reason: "banned"))
    }

    /// Sets a group aside; nobody is blamed and its slot is leased again.
    mutating func withdraw(_ group: Hash256, _ reason: String) {
        guard let record = state.groups[group] else { return }
        if case .auditing(let audit) = record.phase { presence.auditDeadlines[audit] = nil }
        presence.disputes[group] = nil
        forgettingEarlier(of: record.slot, group) { run in
            run.commit(.groupWithdrawn(group: group, reason: bounded(reason, Finding.maximumReasonBytes)))
        }
        report(.groupWithdrawn(group: group, worker: record.worker, reason: reason))
        reviewAccount(record.worker)
    }
}
