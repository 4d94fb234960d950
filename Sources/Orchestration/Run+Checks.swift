import Identity

/// Who watches the verifiers: known good groups among their audits, repeated replays, and verdicts looked at again.
extension Run {
    /// Asks for one more replay of a group that has its verdict.
    mutating func openCheck(of group: Hash256, _ purpose: Check.Purpose) {
        guard let record = state.groups[group], record.check == nil else { return }
        commit(.checkOpened(group: group, purpose: purpose))
    }

    /// Draws whether another verifier repeats the replay of a group that was just accepted.
    mutating func drawRepetition(_ group: Hash256) {
        let rate = configuration.auditing.repeatRate
        guard rate > 0, let record = state.groups[group], let first = record.confirmations.first,
            hasThirdParty(besides: [first], record),
            AuditDraw.isDrawn("repeat", group.bytes, probability: rate, secret: checkSecret)
        else { return }
        openCheck(of: group, .repeated)
    }

    /// A group was accepted against an accusation: a third verifier decides who is wrong, where there is one.
    ///
    /// Without a third, the acceptance stands: values that match cannot be made up, unless verifier and worker conspire.
    mutating func doubt(_ group: Hash256, _ dispute: GroupRecord.Dispute, _ verifier: PublicKey) {
        guard let record = state.groups[group], hasThirdParty(besides: [dispute.accuser, verifier], record) else {
            refute(dispute.accuser)
            return
        }
        commit(
            .acceptanceDoubted(
                group: group, accuser: dispute.accuser, audit: dispute.audit, finding: dispute.finding,
                auditFLOPs: dispute.auditFLOPs))
        report(.verdictDoubted(group: group, accuser: dispute.accuser, finding: dispute.finding))
        openCheck(of: group, .arbitrating)
    }

    /// Hands out checks, and plants known good groups among the audits that verifiers get.
    mutating func assignChecks(_ assigned: inout [PublicKey: [Audit]], _ now: Instant) {
        for group in state.checkQueue {
            guard let record = state.groups[group], let check = record.check else { continue }
            let able = presence.waitingVerifiers.filter {
                hasRoom($0, assigned) && mayCheck($0, record, check.purpose)
            }
            guard let verifier = preferred(able, for: group) else { continue }
            assign(check: group, to: verifier, &assigned, now)
        }
        let rate = configuration.auditing.plantRate
        guard rate > 0 else { return }
        for verifier in presence.waitingVerifiers {
            for audit in assigned[verifier] ?? [] where hasRoom(verifier, assigned) {
                let place = withUnsafeBytes(of: audit.id.littleEndian) { [UInt8]($0) }
                guard AuditDraw.isDrawn("plant", place, probability: rate, secret: checkSecret),
                    let group = plant(for: verifier)
                else { continue }
                openCheck(of: group, .planted)
                assign(check: group, to: verifier, &assigned, now)
            }
        }
    }

    private mutating func assign(
        check group: Hash256, to verifier: PublicKey, _ assigned: inout [PublicKey: [Audit]], _ now: Instant
    ) {
        let id = state.nextAudit
        commit(.checkAssigned(audit: id, group: group, verifier: verifier))
        startAudit(id, now)
        if let audit = audit(id) { assigned[verifier, default: []].append(audit) }
    }

    /// A group that is known to be good, whoever is asked, because two verifiers agree on it.
    ///
    /// Where there are no such groups, one that this verifier itself found good.
    private func plant(for verifier: PublicKey) -> Hash256? {
        var own: Hash256?
        for group in state.acceptedGroups + (state.batches[state.cutStep] ?? []) {
            guard let record = state.groups[group], record.check == nil, record.doubt == nil,
                record.worker != verifier
            else { continue }
            if record.confirmations.contains(verifier) {
                own = own ?? group
            } else if record.confirmations.count >= 2 {
                return group
            }
        }
        return own
    }

    private func mayCheck(_ verifier: PublicKey, _ record: GroupRecord, _ purpose: Check.Purpose) -> Bool {
        guard verifier != record.worker, state.verifiers[verifier]?.ban == nil else { return false }
        switch purpose {
        case .planted: return record.confirmations.contains(verifier) || record.confirmations.count >= 2
        case .vesting: return true
        case .repeated: return !record.confirmations.contains(verifier)
        case .arbitrating:
            return !record.confirmations.contains(verifier) && record.doubt?.accuser != verifier
        case .reopened: return record.verdict?.accusers.contains(verifier) != true
        }
    }

    /// Whether a verifier is connected that has not looked at a group yet.
    private func hasThirdParty(besides others: [PublicKey], _ record: GroupRecord) -> Bool {
        connectedMembers(.verifier).contains { !others.contains($0.key) && $0.key != record.worker }
    }

    /// Has groups audited after all whose log-probabilities are not what the trainer computes.
    mutating func takeDoubts(_ from: Correspondent, _ groups: [Hash256], _ now: Instant) {
        guard sender(from, .trainer, now) != nil else { return }
        for group in groups.prefix(configuration.groupsPerBatch) {
            guard case .batched? = state.groups[group]?.phase else { continue }
            openCheck(of: group, .vesting)
        }
    }

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
        switch purpose {
        case .planted, .repeated: break
        case .arbitrating: if let accuser = group.doubt?.accuser { refute(accuser) }
        case .vesting: vest(group.worker, through: group.check?.openedAt ?? 0, audit: audit)
        case .reopened:
            // One voice does not outweigh two: a colluding verifier must not overturn honest ones and have them banned.
            if (group.verdict?.accusers.count ?? 0) < 2 { overturn(record.group, group, audit) }
        }
    }

    private mutating func fail(
        _ audit: UInt64, _ record: AuditRecord, _ purpose: Check.Purpose, _ group: GroupRecord, _ finding: Finding,
        _ flops: Int64
    ) {
        commit(.checkFailed(audit: audit, finding: finding, auditFLOPs: flops))
        presence.auditDeadlines[audit] = nil
        report(.checkDone(verifier: record.verifier, purpose: purpose, agreed: false))
        switch purpose {
        case .planted: refute(record.verifier)
        case .repeated, .vesting:
            report(.verdictDoubted(group: record.group, accuser: record.verifier, finding: finding))
            if hasThirdParty(besides: group.confirmations + [record.verifier], group) {
                openCheck(of: record.group, .arbitrating)
            } else if group.confirmations.isEmpty {
                // Nobody ever found it good, and nobody else can look.
                revoke(record.group, group, audit, finding)
            }
        case .arbitrating:
            settleAudit(record.verifier, audit, flops)
            revoke(record.group, group, audit, finding)
        case .reopened: settleAudit(record.verifier, audit, flops)
        }
    }

    /// A group that counted is found wrong by everybody who can be asked: whoever found it good did not compute it.
    private mutating func revoke(_ hash: Hash256, _ group: GroupRecord, _ audit: UInt64, _ finding: Finding) {
        let isPromised = state.workers[group.worker]?.unvested.contains { $0.group == hash } ?? false
        if let doubt = state.groups[hash]?.doubt { settleAudit(doubt.accuser, doubt.audit, doubt.auditFLOPs) }
        commit(.acceptanceRevoked(group: hash, finding: finding))
        if !isPromised, group.work > 0 {
            outbox.append(.settle(.revoked(worker: group.worker, group: hash, amount: group.work)))
        }
        if state.groups[hash] == nil { outbox.append(.forgetGroups([hash])) }
        report(.verdictOverturned(group: hash, worker: group.worker, wasAccepted: true))
        for verifier in group.confirmations {
            let lie = Finding(
                check: "false-acceptance", reason: "Other verifiers' replays contradict what it found good.",
                severity: .slash)
            ban(verifier: verifier, lie)
        }
        forfeit(group.worker, for: hash, work: group.work, group.draw)
        punish(group.worker, finding)
    }

    /// A rejected or abandoned group is found right after all: its worker gets what it is owed, its accusers the blame.
    private mutating func overturn(_ hash: Hash256, _ group: GroupRecord, _ audit: UInt64) {
        guard let verdict = group.verdict else { return }
        let withheld = withholding(of: group.work)
        commit(.rejectionOverturned(group: hash, audit: audit, withheld: withheld))
        outbox.append(
            .settle(.earned(worker: group.worker, group: hash, amount: group.work, withheld: withheld)))
        if verdict.finding != nil { outbox.append(.settle(.refunded(worker: group.worker, group: hash))) }
        report(.verdictOverturned(group: hash, worker: group.worker, wasAccepted: false))
        noteStanding(group.worker)
        for accuser in verdict.accusers { refute(accuser) }
    }

    /// Looks again at what was rejected or abandoned, when another key comes to the same result for the same slot.
    ///
    /// Honest results are equal, so that the first one was wrong is not what the second one says.
    mutating func reopenVerdicts(_ slot: UInt64, _ submission: Submission, _ lease: LeaseRecord) {
        guard let content = submission.content else { return }
        for earlier in state.slots[slot]?.earlier ?? [] {
            guard let record = state.groups[earlier], record.verdict != nil, record.content == content,
                record.version == lease.version, record.worker != lease.worker,
                record.verdict?.finding != nil || state.workers[record.worker]?.ban == nil
            else { continue }
            openCheck(of: earlier, .reopened)
        }
    }

    /// Decides which verifiers are watched; not told to anybody before the run is over.
    private var checkSecret: Hash256 {
        hmacSHA256(key: configuration.secret, Array("apus/checks/v1\u{0}".utf8))
    }
}
