import Identity

extension DurableState {
    mutating func applyAssigned(_ audit: UInt64, group: Hash256, verifier: PublicKey) throws(FactMismatch) {
        try require(audit == nextAudit, "audit \(audit) is not the next one")
        let record = try found(groups[group], "group \(group)")
        try require(record.phase == .queued, "group \(group) does not wait for a verifier")
        auditQueue.removeAll { $0 == group }
        groups[group]?.phase = .auditing(audit)
        groups[group]?.auditAttempts += 1
        audits[audit] = AuditRecord(group: group, verifier: verifier)
        verifiers[verifier, default: VerifierRecord()].liveAudits.insert(audit)
        if record.dispute == nil { updateWorker(record.worker) { $0.auditing += 1 } }
        nextAudit += 1
    }

    mutating func applyLost(_ audit: UInt64) throws(FactMismatch) {
        let record = try found(audits[audit], "audit \(audit)")
        verifiers[record.verifier]?.lost += 1
        counters.auditsLost += 1
        if record.purpose == nil {
            closeAudit(audit, flops: nil)
            requeue(record.group)
            avoid(record.verifier, for: record.group)
        } else if let check = groups[record.group]?.check {
            takeCheckAway(check)
            groups[record.group]?.check?.audit = nil
            checkQueue.append(record.group)
            avoid(record.verifier, for: record.group)
        }
    }

    /// Notes that a verifier lost a group, as the last one of a few.
    private mutating func avoid(_ verifier: PublicKey, for group: Hash256) {
        guard var losers = groups[group]?.losers else { return }
        losers.removeAll { $0 == verifier }
        losers.append(verifier)
        groups[group]?.losers = losers.suffix(GroupRecord.rememberedLosers)
    }

    mutating func applyDisputed(_ audit: UInt64, finding: Finding, auditFLOPs: Int64) throws(FactMismatch) {
        let record = try found(audits[audit], "audit \(audit)")
        try require(groups[record.group]?.dispute == nil, "group \(record.group) is disputed already")
        // Paid only when another verifier agrees.
        closeAudit(audit, flops: nil)
        requeue(record.group)
        groups[record.group]?.dispute = GroupRecord.Dispute(
            accuser: record.verifier, audit: audit, finding: finding, auditFLOPs: auditFLOPs)
        // The second opinion has attempts of its own.
        groups[record.group]?.auditAttempts = 0
        groups[record.group]?.losers = []
        if let group = groups[record.group] { updateWorker(group.worker) { $0.disputed += 1 } }
    }

    /// Puts a group before all others that wait for a verifier, since it waited longest.
    private mutating func requeue(_ group: Hash256) {
        groups[group]?.phase = .queued
        auditQueue.insert(group, at: 0)
    }

    /// Takes an audit away from its verifier; `flops` is what it is paid for, nil where it is not.
    mutating func closeAudit(_ audit: UInt64, flops: Int64?) {
        guard let record = audits.removeValue(forKey: audit) else { return }
        verifiers[record.verifier]?.liveAudits.remove(audit)
        if let group = groups[record.group], group.dispute == nil {
            updateWorker(group.worker) { $0.auditing -= 1 }
        }
        if let flops { creditVerifier(record.verifier, flops: flops) }
    }

    mutating func creditVerifier(_ verifier: PublicKey, flops: Int64) {
        var record = verifiers[verifier] ?? VerifierRecord()
        record.audited += 1
        record.earned = saturatingSum(record.earned, flops)
        verifiers[verifier] = record
    }
}
