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
            if let finding = submission.failure {
                rejectUnjournaled(submission, finding, key, from)
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
        commit(.groupReceived(group: submission.group, lease: submission.lease, tokens: submission.tokens))
        presence.leaseClocks[submission.lease] = nil
        let isIdle = state.workers[key]?.liveLeases.isEmpty ?? true
        presence.members[key]?.stalls = 0
        presence.members[key]?.stalledUntil = nil
        presence.members[key]?.pace.finishedGroup(at: now, isIdle: isIdle)
        sendReceipt(submission, key, from, duplicate: false)
        report(.groupReceived(group: submission.group, worker: key, version: lease.version))
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
        _ submission: Submission, _ finding: Finding, _ key: PublicKey, _ from: Correspondent
    ) {
        refuseGroup(submission, key, from, Refusal(finding.check, finding.reason))
        guard finding.severity != .refuse else { return }
        reject(submission.group, lease: submission.lease, audit: 0, finding, auditFLOPs: 0, worker: key)
    }

    /// Counts a group as rejected and draws the consequences.
    mutating func reject(
        _ group: Hash256, lease: UInt64, audit: UInt64, _ finding: Finding, auditFLOPs: Int64, worker key: PublicKey
    ) {
        commit(
            .groupRejected(group: group, lease: lease, audit: audit, finding: finding, auditFLOPs: auditFLOPs))
        presence.leaseClocks[lease] = nil
        if audit > 0 {
            if auditFLOPs > 0 {
                outbox.append(.settle(.charged(worker: key, group: group, amount: auditFLOPs)))
            }
            outbox.append(.forgetGroups([group]))
        }
        let strikes = state.workers[key]?.strikes ?? 0
        report(.groupRejected(group: group, worker: key, finding: finding, strikes: strikes))
        noteStanding(key, reason: "\(finding.check): \(finding.reason)")
        if finding.severity == .slash || strikes >= configuration.strikes { banWorker(key, finding) }
    }

    /// Takes a worker's stake and place; what it has in flight is set aside unaudited.
    mutating func banWorker(_ key: PublicKey, _ finding: Finding) {
        guard let worker = state.workers[key], worker.ban == nil else { return }
        commit(.workerBanned(worker: key, finding: finding, burned: worker.staked))
        outbox.append(.settle(.slashed(worker: key)))
        report(
            .workerBanned(
                worker: key, finding: finding, auditedGroups: worker.audited, burned: worker.staked))
        for lease in worker.liveLeases.sorted() { endLease(lease, .banned) }
        for group in worker.pendingGroups { withdraw(group, "worker banned") }
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
        commit(.groupWithdrawn(group: group, reason: bounded(reason, Finding.maximumReasonBytes)))
        outbox.append(.forgetGroups([group]))
        report(.groupWithdrawn(group: group, worker: record.worker, reason: reason))
    }
}
