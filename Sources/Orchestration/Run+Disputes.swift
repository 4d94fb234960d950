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
            seekVerifier(for: group, now)
            report(.auditDisputed(group: group, accuser: accuser, finding: finding))
            return
        }
        presence.auditDeadlines[audit] = nil
        settleAudit(accuser, audit, flops)
        var finding = finding
        if let dispute = record.dispute {
            settleAudit(dispute.accuser, dispute.audit, dispute.auditFLOPs)
            // Two that agree on no more than that it is wrong: the lighter finding is what both have said at least.
            if finding.severity == .slash, dispute.finding.severity != .slash { finding = dispute.finding }
        }
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
        for (group, patience) in presence.disputes.sorted(by: { $0.key < $1.key }) {
            guard let record = state.groups[group], let dispute = record.dispute else {
                settleCheck(of: group, patience, now)
                continue
            }
            let isHopeful = hasOtherVerifier(than: dispute.accuser, record) && now < patience.end
            if record.phase != .queued || isHopeful {
                presence.disputes[group]?.since = now
            } else if now >= patience.end || now.elapsed(since: patience.since) >= configuration.timing.reconnect {
                stand(dispute, about: group, record, now)
            }
        }
    }

    /// Starts the search for a verifier that may look at a group.
    ///
    /// It ends after the time that all attempts of an audit may take, even where a verifier is connected: one that takes no
    /// audits would keep the accusation, the group's version and its worker's credit undecided for ever.
    mutating func seekVerifier(for group: Hash256, _ now: Instant) {
        presence.disputes[group] = Presence.Patience(since: now, end: endOfSearch(now))
        expect(now.advanced(by: configuration.timing.reconnect))
    }

    /// When a search ends that begins now.
    func endOfSearch(_ now: Instant) -> Instant {
        let timing = configuration.timing
        let attempts = UInt64(max(1, configuration.limits.auditAttempts))
        let (longest, overflow) = timing.audit.multipliedReportingOverflow(by: attempts)
        return now.advanced(by: overflow ? .max : max(longest, timing.reconnect))
    }

    /// An accusation that no second verifier has confirmed or refuted counts as it is.
    mutating func stand(_ dispute: GroupRecord.Dispute, about group: Hash256, _ record: GroupRecord, _ now: Instant) {
        presence.disputes[group] = nil
        settleAudit(dispute.accuser, dispute.audit, dispute.auditFLOPs)
        reject(
            group, lease: record.lease, audit: dispute.audit, dispute.finding, auditFLOPs: dispute.auditFLOPs,
            worker: record.worker, now)
    }

    /// Gives a check up that no verifier may have who is there, once it has waited for one to come back.
    ///
    /// What was found wrong in a group that nobody ever found good then stands, as a first accusation does.
    private mutating func settleCheck(of group: Hash256, _ patience: Presence.Patience, _ now: Instant) {
        guard let record = state.groups[group], let check = record.check else {
            presence.disputes[group] = nil
            return
        }
        let isAbleHere = connectedMembers(.verifier).contains { mayCheck($0.key, record, check.purpose) }
        let waitsForAny =
            switch check.purpose {
            case .vesting: true
            case .doubted, .unavailable: record.confirmations.isEmpty
            case .planted, .repeated, .arbitrating, .reopened: false
            }
        if check.audit != nil || waitsForAny || isAbleHere && now < patience.end {
            presence.disputes[group]?.since = now
            return
        }
        guard now >= patience.end || now.elapsed(since: patience.since) >= configuration.timing.reconnect else {
            return
        }
        giveUpCheck(of: group, record, check)
    }

    /// No verifier comes to a verdict in a check.
    mutating func giveUpCheck(of group: Hash256, _ record: GroupRecord, _ check: Check) {
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
                reason: "\(verifier.refuted + verifier.plantsFailed) of its replays were refuted by others.",
                severity: .slash))
    }

    /// Takes a verifier's place; what it holds goes to others.
    mutating func ban(verifier accuser: PublicKey, _ finding: Finding) {
        guard let verifier = state.verifiers[accuser], verifier.ban == nil else { return }
        commit(.verifierBanned(verifier: accuser, finding: finding))
        report(.verifierBanned(verifier: accuser, finding: finding))
        for audit in verifier.liveAudits.sorted() { loseAudit(audit, "verifier banned") }
        reopenVerdicts(of: accuser)
        expel(accuser, finding)
    }
}
