import Identity

extension DurableState {
    mutating func applyReceived(_ group: Hash256, lease id: UInt64, tokens: UInt64) throws(FactMismatch) {
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
        groups[group] = GroupRecord(
            slot: lease.slot, lease: id, worker: lease.worker, version: lease.version, tokens: tokens, phase: .queued,
            auditAttempts: 0)
        auditQueue.append(group)
        counters.received += 1
    }

    mutating func applyAccepted(
        _ group: Hash256, audit: UInt64, verifiedFLOPs: Int64, withheld: Int64, auditFLOPs: Int64
    ) throws(FactMismatch) {
        let record = try found(groups[group], "group \(group)")
        try require(record.phase == .auditing(audit), "group \(group) is not in audit \(audit)")
        closeAudit(audit, flops: auditFLOPs)
        groups[group]?.phase = .accepted
        acceptedGroups.append(group)
        if let dispute = record.dispute {
            verifiers[dispute.accuser]?.refuted += 1
            groups[group]?.dispute = nil
            updateWorker(record.worker) { $0.disputed -= 1 }
        }
        updateWorker(record.worker) { worker in
            worker.pendingGroups.removeAll { $0 == group }
            worker.accepted += 1
            worker.audited += 1
            worker.streak = saturatingSum(worker.streak, verifiedFLOPs)
            worker.earned = saturatingSum(worker.earned, verifiedFLOPs)
            worker.staked = saturatingSum(worker.staked, withheld)
        }
        counters.accepted += 1
    }

    mutating func applyRejected(
        _ group: Hash256, lease id: UInt64, audit: UInt64, finding: Finding, auditFLOPs: Int64
    ) throws(FactMismatch) {
        let lease = try found(leases[id], "lease \(id)")
        if let record = groups[group], record.lease == id {
            if case .auditing(audit) = record.phase {
                closeAudit(audit, flops: auditFLOPs)
            } else {
                try require(record.phase == .queued && record.dispute?.audit == audit, "group \(group) has no finding")
                auditQueue.removeAll { $0 == group }
            }
            // The accuser's work was of use after all.
            if let dispute = record.dispute { creditVerifier(dispute.accuser, flops: dispute.auditFLOPs) }
            dropGroup(group, .rejected)
            updateWorker(lease.worker) { $0.audited += 1 }
        } else {
            try require(audit == 0, "no group \(group) is known")
            if case .submitted = lease.phase { try require(false, "lease \(id) has a group") }
            endLease(id, .rejected)
        }
        updateWorker(lease.worker) { worker in
            worker.rejected += 1
            worker.strikes += 1
            worker.streak = 0
        }
        let isKnown = counters.rejected[finding.check] != nil || counters.rejected.count < RunCounters.maximumChecks
        counters.rejected[isKnown ? finding.check : "other", default: 0] += 1
    }

    mutating func applyWithdrawn(_ group: Hash256) throws(FactMismatch) {
        let record = try found(groups[group], "group \(group)")
        switch record.phase {
        case .queued: auditQueue.removeAll { $0 == group }
        case .auditing(let audit): closeAudit(audit, flops: nil)
        case .accepted, .batched: try require(false, "group \(group) has its verdict")
        }
        dropGroup(group, .withdrawn)
        counters.withdrawn += 1
    }

    mutating func applyDiscarded(_ group: Hash256) throws(FactMismatch) {
        let record = try found(groups[group], "group \(group)")
        try require(record.phase == .accepted, "group \(group) is not accepted")
        acceptedGroups.removeAll { $0 == group }
        dropGroup(group, .stale)
        updateWorker(record.worker) { $0.discarded += 1 }
        counters.discarded += 1
    }

    /// Forgets a group and lets its slot wait for a new lease.
    private mutating func dropGroup(_ group: Hash256, _ reason: LeaseEnd) {
        guard let record = groups.removeValue(forKey: group) else { return }
        leases[record.lease]?.phase = .ended(reason)
        updateWorker(record.worker) { worker in
            worker.pendingGroups.removeAll { $0 == group }
            if record.dispute != nil { worker.disputed -= 1 }
        }
        freeSlot(record.slot)
    }

    mutating func updateWorker(_ key: PublicKey, _ change: (inout WorkerRecord) -> Void) {
        change(&workers[key, default: WorkerRecord()])
    }
}

/// The sum, or the largest number where it would overflow.
func saturatingSum(_ left: Int64, _ right: Int64) -> Int64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
}
