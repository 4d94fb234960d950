import Identity

/// Who watches the verifiers: known good groups among their audits, repeated replays, and verdicts looked at again.
extension Run {
    /// Asks for one more replay of a group that has its verdict.
    mutating func openCheck(of group: Hash256, _ purpose: Check.Purpose) {
        guard let record = state.groups[group], record.check == nil, !record.isRevoked else { return }
        // Another replay is to decide now, not the trainer.
        if state.contestedGroups.contains(group) { commit(.contestSettled(group: group, isRefuted: false)) }
        commit(.checkOpened(group: group, purpose: purpose))
        seekVerifier(for: group, presence.now)
    }

    /// Nobody will do that replay; nobody is blamed.
    mutating func closeCheck(of group: Hash256) {
        guard let record = state.groups[group], record.check != nil else { return }
        commit(.checkClosed(group: group))
        presence.disputes[group] = nil
        reviewAccount(record.worker)
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
    /// Without a third, the trainer does.
    mutating func doubt(_ group: Hash256, _ dispute: GroupRecord.Dispute) {
        guard let record = state.groups[group],
            hasThirdParty(besides: record.confirmations + [dispute.accuser], record)
        else {
            contest(group, dispute)
            return
        }
        commit(
            .acceptanceDoubted(
                group: group, accuser: dispute.accuser, audit: dispute.audit, finding: dispute.finding,
                auditFLOPs: dispute.auditFLOPs))
        report(.verdictDoubted(group: group, accuser: dispute.accuser, finding: dispute.finding))
        openCheck(of: group, .arbitrating)
    }

    /// Hands out checks, at most so many to a verifier as are one of `share` places of its request, but one at least.
    mutating func assignChecks(_ assigned: inout [PublicKey: [Audit]], share: Int, _ now: Instant) {
        for group in state.checkQueue {
            guard let record = state.groups[group], let check = record.check else { continue }
            let able = presence.waitingVerifiers.filter {
                hasRoom($0, assigned, share: share) && mayCheck($0, record, check.purpose)
            }
            guard check.audit == nil,
                let verifier = preferred(able, for: group, { mayCheck($0, record, check.purpose) })
            else { continue }
            assign(check: group, to: verifier, &assigned, now)
        }
    }

    /// Draws whether a verifier gets a known good group beside the audit that it is about to get, and whether before it.
    ///
    /// Before or after, so that neither its place nor its number tells it from the others; alone, where the verifier asked
    /// for no more than one, so that none asks its way past them.
    func drawPlant(for verifier: PublicKey) -> (group: Hash256, comesFirst: Bool)? {
        let place = withUnsafeBytes(of: state.nextAudit.littleEndian) { [UInt8]($0) }
        guard
            AuditDraw.isDrawn("plant", place, probability: configuration.auditing.plantRate, secret: checkSecret),
            let group = plant(for: verifier)
        else { return nil }
        return (group, AuditDraw.isDrawn("first", place, probability: AuditDraw.certain / 2, secret: checkSecret))
    }

    mutating func assign(
        check group: Hash256, to verifier: PublicKey, _ assigned: inout [PublicKey: [Audit]], _ now: Instant
    ) {
        if state.groups[group]?.check == nil { openCheck(of: group, .planted) }
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
            guard let record = state.groups[group], record.check == nil, !record.isSuspect, record.worker != verifier,
                // One bad group is one contradiction, not one for each time that it is planted.
                !record.contradictedBy.contains(verifier)
            else { continue }
            if record.confirmations.contains(verifier) {
                own = own ?? group
            } else if record.confirmations.count >= 2 {
                return group
            }
        }
        return own
    }

    func mayCheck(_ verifier: PublicKey, _ record: GroupRecord, _ purpose: Check.Purpose) -> Bool {
        guard verifier != record.worker, state.verifiers[verifier]?.ban == nil else { return false }
        switch purpose {
        case .planted: return record.confirmations.contains(verifier) || record.confirmations.count >= 2
        case .vesting: return true
        case .repeated, .doubted, .unavailable: return !record.confirmations.contains(verifier)
        case .arbitrating:
            return !record.confirmations.contains(verifier) && record.doubt?.accuser != verifier
        case .reopened:
            return record.verdict?.accusers.contains(verifier) != true && !record.confirmations.contains(verifier)
        }
    }

    /// Whether a verifier is connected that has not looked at a group yet.
    func hasThirdParty(besides others: [PublicKey], _ record: GroupRecord) -> Bool {
        connectedMembers(.verifier).contains { !others.contains($0.key) && $0.key != record.worker }
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
