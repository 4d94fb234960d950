import Identity

/// A matching replay cannot be made up without computing it, a mismatch can: so a rejection waits for a second
/// verifier's opinion where one is connected, and an accusation that is refuted counts against the accuser.
extension Run {
    mutating func accuse(
        _ group: Hash256, _ record: GroupRecord, _ audit: UInt64, _ finding: Finding, _ flops: Int64,
        _ accuser: PublicKey, _ now: Instant
    ) {
        if record.dispute == nil, configuration.confirmsRejections, mayBeConfirmed(accuser, record) {
            commit(.auditDisputed(audit: audit, finding: finding, auditFLOPs: flops))
            presence.auditDeadlines[audit] = nil
            presence.disputes[group] = now
            expect(now.advanced(by: configuration.timing.reconnect))
            report(.auditDisputed(group: group, accuser: accuser, finding: finding))
            return
        }
        presence.auditDeadlines[audit] = nil
        settleAudit(accuser, audit, flops)
        if let dispute = record.dispute { settleAudit(dispute.accuser, dispute.audit, dispute.auditFLOPs) }
        reject(group, lease: record.lease, audit: audit, finding, auditFLOPs: flops, worker: record.worker, now)
    }

    func hasOtherVerifier(than accuser: PublicKey, _ record: GroupRecord) -> Bool {
        connectedMembers(.verifier).contains { $0.key != accuser && $0.key != record.worker }
    }

    /// Whether another verifier is connected, or was here before and may be back in a moment.
    func mayBeConfirmed(_ accuser: PublicKey, _ record: GroupRecord) -> Bool {
        let present = presence.members.values.filter { $0.role == .verifier }.map(\.key)
        let known = state.verifiers.filter { $0.value.ban == nil }.map(\.key)
        return (present + known).contains { $0 != accuser && $0 != record.worker }
    }

    /// Lets an accusation stand where no second verifier has been there for a while.
    mutating func settleDisputes(_ now: Instant) {
        guard !presence.disputes.isEmpty else { return }
        for (group, since) in presence.disputes.sorted(by: { $0.key < $1.key }) {
            guard let record = state.groups[group], let dispute = record.dispute else {
                settleCheck(of: group, waitingSince: since, now)
                continue
            }
            if record.phase != .queued || hasOtherVerifier(than: dispute.accuser, record) {
                presence.disputes[group] = now
            } else if now.elapsed(since: since) >= configuration.timing.reconnect {
                presence.disputes[group] = nil
                settleAudit(dispute.accuser, dispute.audit, dispute.auditFLOPs)
                reject(
                    group, lease: record.lease, audit: dispute.audit, dispute.finding,
                    auditFLOPs: dispute.auditFLOPs, worker: record.worker, now)
            }
        }
    }

    /// Gives a check up that no verifier may have who is there, once it has waited for one to come back.
    ///
    /// What was found wrong in a group that nobody ever found good then stands, as a first accusation does.
    private mutating func settleCheck(of group: Hash256, waitingSince since: Instant, _ now: Instant) {
        guard let record = state.groups[group], let check = record.check else {
            presence.disputes[group] = nil
            return
        }
        let isAbleHere = connectedMembers(.verifier).contains { mayCheck($0.key, record, check.purpose) }
        let waitsForAny = check.purpose == .vesting || check.purpose == .doubted && record.confirmations.isEmpty
        if check.audit != nil || isAbleHere || waitsForAny {
            presence.disputes[group] = now
            return
        }
        guard now.elapsed(since: since) >= configuration.timing.reconnect else { return }
        if check.purpose == .arbitrating, record.confirmations.isEmpty, let doubt = record.doubt {
            revoke(group, record, doubt.finding)
        } else {
            closeCheck(of: group)
            // Whoever else was to be asked is gone: what has been said decides.
            if check.purpose == .reopened { weigh(group, 0) }
        }
    }

    /// Looks at a verifier's wrong accusations, of known good groups too; too many cost it its place.
    mutating func refute(_ accuser: PublicKey) {
        guard let verifier = state.verifiers[accuser],
            verifier.refuted + verifier.plantsFailed >= configuration.limits.verifierFaults
        else { return }
        ban(
            verifier: accuser,
            Finding(
                check: "refuted-accusations",
                reason: "\(verifier.refuted + verifier.plantsFailed) of its accusations were refuted by other replays.",
                severity: .slash))
    }

    /// Takes a verifier's place; what it holds goes to others.
    mutating func ban(verifier accuser: PublicKey, _ finding: Finding) {
        guard let verifier = state.verifiers[accuser], verifier.ban == nil else { return }
        commit(.verifierBanned(verifier: accuser, finding: finding))
        report(.verifierBanned(verifier: accuser, finding: finding))
        for audit in verifier.liveAudits.sorted() { loseAudit(audit, "verifier banned") }
        expel(accuser, finding)
    }
}
