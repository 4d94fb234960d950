import Identity

/// What further replays of a group say about a verdict that stands already.
extension Run {
    /// Takes in what a check came to.
    mutating func settleCheck(_ audit: UInt64, _ record: AuditRecord, _ purpose: Check.Purpose, _ verdict: AuditVerdict)
    {
        guard let group = state.groups[record.group] else { return }
        switch verdict {
        case .accepted(let acceptance): pass(audit, record, purpose, group, max(0, acceptance.auditFLOPs))
        case .rejected(let finding, _) where finding.severity == .refuse:
            loseAudit(audit, "\(finding.check): \(finding.reason)")
        case .rejected(let finding, let flops): fail(audit, record, purpose, group, finding, max(0, flops))
        case .inconclusive(let reason): loseAudit(audit, reason)
        }
    }

    private mutating func pass(
        _ audit: UInt64, _ record: AuditRecord, _ purpose: Check.Purpose, _ group: GroupRecord, _ flops: Int64
    ) {
        commit(.checkPassed(audit: audit, auditFLOPs: flops))
        presence.auditDeadlines[audit] = nil
        settleAudit(record.verifier, audit, flops)
        report(.checkDone(verifier: record.verifier, purpose: purpose, agreed: true))
        if purpose == .arbitrating, let doubt = group.doubt {
            if group.confirmations.isEmpty {
                // One against one: a third verifier or the trainer decides, as about a first audit.
                self.doubt(record.group, doubt)
                if state.groups[record.group]?.doubt != nil { return }
            } else {
                refute(doubt.accuser)
            }
        }
        if purpose == .reopened {
            weigh(record.group, audit)
            return
        }
        if group.isDisbelieved, !group.isAlwaysAudited, state.standingConfirmations(of: record.group).count < 2 {
            // The trainer against one verifier: another one is asked. Without one, the credit stays promised.
            if hasThirdParty(besides: group.confirmations + [record.verifier], group) {
                openCheck(of: record.group, .repeated)
            }
            return
        }
        vestItself(record.group, of: group.worker, audit: audit)
        // The other kinds look at a group that its worker, or a verifier, may have brought up for a check.
        if purpose == .vesting { vouch(by: group, through: group.check?.openedAt ?? 0, audit: audit) }
        reviewAccount(group.worker)
    }

    private mutating func fail(
        _ audit: UInt64, _ record: AuditRecord, _ purpose: Check.Purpose, _ group: GroupRecord, _ finding: Finding,
        _ flops: Int64
    ) {
        commit(.checkFailed(audit: audit, finding: finding, auditFLOPs: flops))
        presence.auditDeadlines[audit] = nil
        report(.checkDone(verifier: record.verifier, purpose: purpose, agreed: false))
        switch purpose {
        case .planted:
            if !group.confirmations.contains(record.verifier),
                hasThirdParty(besides: group.confirmations + [record.verifier], group)
            {
                doubt(
                    record.group,
                    GroupRecord.Dispute(accuser: record.verifier, audit: audit, finding: finding, auditFLOPs: flops))
            } else {
                refute(record.verifier)
            }
        case .repeated, .vesting, .doubted, .unavailable:
            report(.verdictDoubted(group: record.group, accuser: record.verifier, finding: finding))
            if group.isDisbelieved, !group.isAlwaysAudited {
                // The trainer and a verifier are two.
                revoke(record.group, group, finding)
            } else if state.standingConfirmations(of: record.group).isEmpty {
                // Nobody ever found it good: an accusation like that of a first audit, to be confirmed by another verifier
                // where there is one or was one.
                if configuration.confirmsRejections, mayBeConfirmed(record.verifier, group) {
                    openCheck(of: record.group, .arbitrating)
                } else {
                    revoke(record.group, group, finding)
                }
            } else if hasThirdParty(besides: group.confirmations + [record.verifier], group) {
                openCheck(of: record.group, .arbitrating)
            } else if group.phase == .accepted, let doubt = state.groups[record.group]?.doubt {
                contest(record.group, doubt)
            }
        case .arbitrating:
            settleAudit(record.verifier, audit, flops)
            // As many found it good as found it wrong, or more: nobody is blamed.
            if state.groups[record.group]?.doubt != nil { revoke(record.group, group, finding) }
        case .reopened:
            settleAudit(record.verifier, audit, flops)
            weigh(record.group, audit)
        }
    }

    /// Has everything replayed again that counts on the word of a verifier alone that was found to lie.
    private mutating func repeatAudits(of verifier: PublicKey) {
        let doubtful = state.groups.filter { $0.value.isCounted && $0.value.confirmations == [verifier] }
        for (group, _) in doubtful.sorted(by: { $0.value.ordinal < $1.value.ordinal }) {
            openCheck(of: group, .repeated)
        }
    }

    /// A group that counted is found wrong by everybody who can be asked: whoever found it good did not compute it.
    ///
    /// It is punished once: the mark that it leaves is journaled.
    mutating func revoke(_ hash: Hash256, _ group: GroupRecord, _ finding: Finding) {
        guard state.groups[hash]?.isRevoked == false else { return }
        let isPromised = state.workers[group.worker]?.unvested.contains { $0.group == hash } ?? false
        let liars = state.standingConfirmations(of: hash)
        if let doubt = state.groups[hash]?.doubt { settleAudit(doubt.accuser, doubt.audit, doubt.auditFLOPs) }
        commit(.acceptanceRevoked(group: hash, finding: finding))
        presence.disputes[hash] = nil
        if !isPromised, group.work > 0 {
            outbox.append(.settle(.revoked(worker: group.worker, group: hash, amount: group.work)))
        }
        if state.groups[hash] == nil { outbox.append(.forgetGroups([hash])) }
        report(.verdictOverturned(group: hash, worker: group.worker, wasAccepted: true))
        for verifier in liars {
            let lie = Finding(
                check: "false-acceptance", reason: "Other verifiers' replays contradict what it found good.",
                severity: .slash)
            ban(verifier: verifier, lie)
            repeatAudits(of: verifier)
        }
        forfeit(group.worker, for: hash, work: group.work, group.draw)
        punish(group.worker, finding)
    }

    /// Has verdicts looked at again that rest on nobody's word but that of verifiers that were found to lie.
    mutating func reopenVerdicts(of liar: PublicKey) {
        let doubtful = state.groups.filter { _, record in
            guard let verdict = record.verdict, verdict.accusers.contains(liar) else { return false }
            return verdict.accusers.allSatisfy { state.verifiers[$0]?.ban != nil }
        }
        for (group, _) in doubtful.sorted(by: { $0.value.ordinal < $1.value.ordinal }) {
            openCheck(of: group, .reopened)
        }
    }

    /// Counts who found a reopened group right and who found it wrong: only more of the former overturn the verdict.
    ///
    /// While others could still make them more, they are asked one after the other; each has one voice, and who was found to
    /// lie has none. One against one, the verdict stands: the one who found it right may conspire with its worker.
    mutating func weigh(_ hash: Hash256, _ audit: UInt64) {
        guard let group = state.groups[hash], let verdict = group.verdict else { return }
        let right = state.standingConfirmations(of: hash).count
        let wrong = verdict.accusers.count { state.verifiers[$0]?.ban == nil }
        if right > wrong {
            overturn(hash, group, audit)
            return
        }
        let others = connectedMembers(.verifier).count { mayCheck($0.key, group, .reopened) }
        if right > 0, right + others > wrong { openCheck(of: hash, .reopened) }
    }

    /// A rejected or abandoned group is found right after all: its worker gets what it is owed, its accusers the blame.
    ///
    /// What was promised to it for other groups is promised again, no more: nobody has vouched for those. Of this group's
    /// own promise nothing comes back, since its credit counts now.
    private mutating func overturn(_ hash: Hash256, _ group: GroupRecord, _ audit: UInt64) {
        guard let verdict = group.verdict else { return }
        let promised = state.workers[group.worker]?.ban == nil ? verdict.restorable : 0
        let withheld = withholding(of: group.work)
        commit(.rejectionOverturned(group: hash, audit: audit, withheld: withheld))
        outbox.append(
            .settle(.earned(worker: group.worker, group: hash, amount: group.work, withheld: withheld)))
        if verdict.finding != nil {
            outbox.append(.settle(.refunded(worker: group.worker, group: hash, promised: promised)))
        }
        report(.verdictOverturned(group: hash, worker: group.worker, wasAccepted: false))
        noteStanding(group.worker)
        for accuser in verdict.accusers { refute(accuser) }
        reviewAccount(group.worker)
    }
}
