import Identity

extension DurableState {
    mutating func applyReceived(
        _ group: Hash256, lease id: UInt64, tokens: UInt64, work: Int64, content: Hash256?, isAlwaysAudited: Bool
    ) throws(FactMismatch) {
        let lease = try found(leases[id], "lease \(id)")
        try require(groups[group] == nil, "group \(group) was journaled before")
        if case .submitted = lease.phase { try require(false, "lease \(id) has a group") }
        let phase = try found(slots[lease.slot], "slot \(lease.slot)").phase
        try require(phase == .waiting || phase == .leased(id), "slot \(lease.slot) is taken")
        waitingSlots.removeAll { $0 == lease.slot }
        slots[lease.slot]?.phase = .owned(group)
        leases[id]?.phase = .submitted(group)
        liveLeases.remove(id)
        workers[lease.worker]?.liveLeases.remove(id)
        workers[lease.worker]?.pendingGroups.append(group)
        counters.received += 1
        groups[group] = GroupRecord(
            slot: lease.slot, lease: id, worker: lease.worker, version: lease.version, tokens: tokens,
            work: max(0, work), content: content, isAlwaysAudited: isAlwaysAudited || !lease.engine.isEmpty,
            ordinal: counters.received, phase: .queued, vouchesThrough: counters.received, auditAttempts: 0)
        auditQueue.append(group)
    }

    mutating func applyAccepted(
        _ group: Hash256, audit: UInt64, verifiedFLOPs: Int64, withheld: Int64, auditFLOPs: Int64
    ) throws(FactMismatch) {
        let record = try found(groups[group], "group \(group)")
        try require(record.phase == .auditing(audit), "group \(group) is not in audit \(audit)")
        let verifier = audits[audit]?.verifier
        closeAudit(audit, flops: auditFLOPs)
        confirm(group, try found(verifier, "verifier of audit \(audit)"))
        groups[group]?.phase = .accepted
        acceptedGroups.append(group)
        if let dispute = record.dispute {
            verifiers[dispute.accuser]?.refuted += 1
            groups[group]?.dispute = nil
            updateWorker(record.worker) { $0.disputed -= 1 }
        }
        updateWorker(record.worker) { worker in
            worker.pendingGroups.removeAll { $0 == group }
            // It counts for itself now, not by a later audit.
            worker.unvested.removeAll { $0.group == group }
            worker.accepted += 1
            worker.audited += 1
            if record.isAlwaysAudited {
                worker.tolerated += 1
            } else {
                worker.streak = saturatingSum(worker.streak, verifiedFLOPs)
            }
            worker.earn(verifiedFLOPs, withheld: withheld)
        }
        if !record.isAlwaysAudited {
            counters.verifiedGroups += 1
            counters.verifiedWork = saturatingSum(counters.verifiedWork, verifiedFLOPs)
            counters.verifiedTokens &+= record.tokens
        }
        counters.accepted += 1
    }

    mutating func applyRejected(
        _ group: Hash256, lease id: UInt64, audit: UInt64, finding: Finding, auditFLOPs: Int64
    ) throws(FactMismatch) {
        let lease = try found(leases[id], "lease \(id)")
        if let record = groups[group], record.lease == id {
            var accusers = record.dispute.map { [$0.accuser] } ?? []
            if case .auditing(audit) = record.phase {
                if let verifier = audits[audit]?.verifier { accusers.append(verifier) }
                closeAudit(audit, flops: auditFLOPs)
            } else {
                try require(record.phase == .queued && record.dispute?.audit == audit, "group \(group) has no finding")
                auditQueue.removeAll { $0 == group }
            }
            // The accuser's work was of use after all.
            if let dispute = record.dispute { creditVerifier(dispute.accuser, flops: dispute.auditFLOPs) }
            var verdict = EarlierVerdict(finding: finding, accusers: accusers)
            updateWorker(lease.worker) { worker in
                worker.audited += 1
                verdict.earningsTaken = worker.pay(atMost: auditFLOPs)
            }
            dropGroup(group, .rejected, keeping: verdict)
            noteRejected(record.version)
        } else {
            try require(audit == 0, "no group \(group) is known")
            if case .submitted = lease.phase { try require(false, "lease \(id) has a group") }
            endLease(id, .rejected)
        }
        updateWorker(lease.worker) { worker in
            worker.rejected += 1
            worker.strikes += 1
            worker.streak = 0
            worker.tolerated = 0
        }
        countRejection(finding)
    }

    mutating func countRejection(_ finding: Finding) {
        let isKnown = counters.rejected[finding.check] != nil || counters.rejected.count < RunCounters.maximumChecks
        counters.rejected[isKnown ? finding.check : "other", default: 0] += 1
    }

    mutating func applyWithdrawn(_ group: Hash256) throws(FactMismatch) {
        let record = try found(groups[group], "group \(group)")
        var abandoned: EarlierVerdict?
        switch record.phase {
        case .queued:
            auditQueue.removeAll { $0 == group }
            let isPromised = workers[record.worker]?.unvested.contains { $0.group == group } ?? false
            if record.auditAttempts > 0, !isPromised { abandoned = EarlierVerdict(finding: nil, accusers: []) }
        case .auditing(let audit): closeAudit(audit, flops: nil)
        case .scoring, .provisional: stopWaiting(group, record)
        case .accepted, .batched, .setAside: try require(false, "group \(group) has its verdict")
        }
        dropGroup(group, .withdrawn, keeping: abandoned)
        counters.withdrawn += 1
    }

    mutating func applyDiscarded(_ group: Hash256) throws(FactMismatch) {
        let record = try found(groups[group], "group \(group)")
        try require(
            record.phase == .accepted || record.phase == .provisional, "group \(group) does not wait for a batch")
        acceptedGroups.removeAll { $0 == group }
        stopWaiting(group, record)
        dropGroup(group, .stale)
        updateWorker(record.worker) { $0.discarded += 1 }
        counters.discarded += 1
    }

    /// Takes a group out of the run and lets its slot wait for a new lease.
    ///
    /// - Parameter verdict: What may be looked at again while the slot lives; without it, the group is forgotten.
    mutating func dropGroup(_ group: Hash256, _ reason: LeaseEnd, keeping verdict: EarlierVerdict? = nil) {
        guard let record = groups[group] else { return }
        closeCheck(of: group)
        contestedGroups.remove(group)
        if let verdict, record.content != nil {
            groups[group]?.phase = .setAside
            groups[group]?.dispute = nil
            groups[group]?.verdict = verdict
            slots[record.slot]?.earlier.append(group)
            forgetEarlier(than: Slot.rememberedGroups, of: record.slot)
        } else {
            groups[group] = nil
        }
        leases[record.lease]?.phase = .ended(reason)
        updateWorker(record.worker) { worker in
            worker.pendingGroups.removeAll { $0 == group }
            if record.dispute != nil { worker.disputed -= 1 }
        }
        freeSlot(record.slot)
    }

    /// Forgets all but the newest rejected or abandoned groups of a slot.
    mutating func forgetEarlier(than kept: Int, of slot: UInt64) {
        guard let earlier = slots[slot]?.earlier, earlier.count > kept else { return }
        for group in earlier.dropLast(kept) {
            closeCheck(of: group)
            groups[group] = nil
        }
        slots[slot]?.earlier = earlier.suffix(kept)
    }

    mutating func updateWorker(_ key: PublicKey, _ change: (inout WorkerRecord) -> Void) {
        change(&workers[key, default: WorkerRecord()])
        if workers[key]?.unvested.isEmpty == false {
            unvestedWorkers.insert(key)
        } else {
            unvestedWorkers.remove(key)
        }
    }
}

extension WorkerRecord {
    /// Credits verified work, of which a part is withheld as stake.
    mutating func earn(_ amount: Int64, withheld: Int64) {
        let stake = min(max(0, withheld), max(0, amount))
        earned = saturatingSum(earned, amount)
        staked = saturatingSum(staked, stake)
        balance = saturatingSum(balance, amount - stake)
    }

    /// Takes from the balance, as far as it goes, and returns how much that is.
    mutating func pay(atMost amount: Int64) -> Int64 {
        let paid = min(balance, max(0, amount))
        balance -= paid
        return paid
    }
}

/// The sum, or the largest number where it would overflow.
func saturatingSum(_ left: Int64, _ right: Int64) -> Int64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
}
