import Identity

/// Groups with a verdict that are replayed once more.
extension DurableState {
    mutating func applyCheck(_ fact: Fact) throws(FactMismatch) {
        switch fact {
        case .checkOpened(let group, let purpose):
            let record = try found(groups[group], "group \(group)")
            try require(record.check == nil, "group \(group) is being checked already")
            try require(!record.isRevoked, "group \(group) was found wrong before")
            if purpose == .doubted || purpose == .unavailable {
                try require(!record.wasDoubted, "group \(group) was doubted before")
                groups[group]?.wasDoubted = true
                groups[group]?.isDisbelieved = purpose == .doubted
                updateWorker(record.worker) { worker in
                    guard let index = worker.unvested.firstIndex(where: { $0.group == group }) else { return }
                    worker.unvested[index].isDoubted = true
                }
            }
            switch record.phase {
            case .accepted, .batched, .setAside: break
            case .queued, .auditing, .scoring, .provisional: try require(false, "group \(group) has no verdict yet")
            }
            groups[group]?.check = Check(purpose: purpose, openedAt: counters.received)
            checkQueue.append(group)
        case .checkAssigned(let audit, let group, let verifier):
            try applyCheckAssigned(audit, group, verifier)
        case .checkPassed(let audit, let flops):
            try applyPassed(audit, flops)
        case .checkFailed(let audit, let finding, let flops):
            try applyFailed(audit, finding, flops)
        case .checkClosed(let group):
            try require(groups[group]?.check != nil, "group \(group) is not being checked")
            closeCheck(of: group)
            endDoubt(about: group)
            groups[group]?.isUnreachable = true
        case .acceptanceDoubted(let group, let accuser, let audit, let finding, let flops):
            let record = try found(groups[group], "group \(group)")
            try require(record.isCounted && !record.isRevoked, "group \(group) does not count")
            groups[group]?.doubt = GroupRecord.Dispute(
                accuser: accuser, audit: audit, finding: finding, auditFLOPs: flops)
            // Its acceptance counted against the accuser, or that the group was planted; the third opinion decides that now.
            updateVerifier(accuser) { verifier in
                if record.contradictedBy.contains(accuser) {
                    verifier.plantsFailed -= min(1, verifier.plantsFailed)
                } else {
                    verifier.refuted -= min(1, verifier.refuted)
                }
            }
        case .acceptanceContested(let group, let accuser, let audit, let finding, let flops):
            let record = try found(groups[group], "group \(group)")
            try require(record.isCounted && !record.isRevoked && record.check == nil, "group \(group) is not contested")
            // An acceptance counts against who was of another opinion, until it is contested.
            if record.doubt == nil { updateVerifier(accuser) { $0.refuted -= min(1, $0.refuted) } }
            groups[group]?.doubt = GroupRecord.Dispute(
                accuser: accuser, audit: audit, finding: finding, auditFLOPs: flops)
            contestedGroups.insert(group)
        case .contestSettled(let group, let isRefuted):
            let doubt = try found(groups[group]?.doubt, "finding against group \(group)")
            try require(contestedGroups.contains(group), "group \(group) is not contested")
            endDoubt(about: group)
            if isRefuted { updateVerifier(doubt.accuser) { $0.refuted += 1 } }
        case .acceptanceRevoked(let group, let finding):
            try applyRevoked(group, finding)
        case .replayRefuted(let group, let verifier):
            let record = try found(groups[group], "group \(group)")
            try require(!record.contradictedBy.contains(verifier), "its replay of group \(group) was refuted before")
            groups[group]?.contradictedBy.append(verifier)
            updateVerifier(verifier) { $0.refuted += 1 }
        case .rejectionOverturned(let group, _, let withheld):
            try applyOverturned(group, withheld: withheld)
        default: break
        }
    }

    private mutating func applyCheckAssigned(
        _ audit: UInt64, _ group: Hash256, _ verifier: PublicKey
    ) throws(FactMismatch) {
        try require(audit == nextAudit, "audit \(audit) is not the next one")
        let check = try found(groups[group]?.check, "check of group \(group)")
        try require(check.audit == nil, "the check of group \(group) is assigned already")
        checkQueue.removeAll { $0 == group }
        groups[group]?.check?.audit = audit
        groups[group]?.check?.attempts += 1
        audits[audit] = AuditRecord(group: group, verifier: verifier, purpose: check.purpose)
        updateVerifier(verifier) { verifier in
            verifier.liveAudits.insert(audit)
            if check.purpose == .planted { verifier.planted += 1 }
        }
        openChecks += 1
        nextAudit += 1
    }

    private mutating func applyPassed(_ audit: UInt64, _ flops: Int64) throws(FactMismatch) {
        let record = try found(audits[audit], "audit \(audit)")
        let purpose = try found(record.purpose, "check in audit \(audit)")
        closeCheck(of: record.group)
        creditVerifier(record.verifier, flops: flops)
        confirm(record.group, record.verifier)
        if purpose == .arbitrating, let accuser = groups[record.group]?.doubt?.accuser {
            updateVerifier(accuser) { $0.refuted += 1 }
            endDoubt(about: record.group)
        }
    }

    /// Whatever was found against an accepted group is decided, or never will be.
    private mutating func endDoubt(about group: Hash256) {
        groups[group]?.doubt = nil
        contestedGroups.remove(group)
    }

    private mutating func applyFailed(
        _ audit: UInt64, _ finding: Finding, _ flops: Int64
    ) throws(FactMismatch) {
        let record = try found(audits[audit], "audit \(audit)")
        let purpose = try found(record.purpose, "check in audit \(audit)")
        closeCheck(of: record.group)
        switch purpose {
        case .planted:
            updateVerifier(record.verifier) { $0.plantsFailed += 1 }
            groups[record.group]?.contradictedBy.append(record.verifier)
        case .repeated, .vesting, .doubted, .unavailable:
            // Paid only when another verifier agrees.
            groups[record.group]?.doubt = GroupRecord.Dispute(
                accuser: record.verifier, audit: audit, finding: finding, auditFLOPs: flops)
        case .arbitrating:
            creditVerifier(record.verifier, flops: flops)
            // Two that found it good are not outvoted by two that did not.
            if standingConfirmations(of: record.group).count >= 2 {
                endDoubt(about: record.group)
                groups[record.group]?.contradictedBy.append(record.verifier)
            }
        case .reopened:
            creditVerifier(record.verifier, flops: flops)
            groups[record.group]?.verdict?.accusers.append(record.verifier)
        }
    }

    private mutating func applyRevoked(_ group: Hash256, _ finding: Finding) throws(FactMismatch) {
        let record = try found(groups[group], "group \(group)")
        let doubt = try found(record.doubt, "doubt about group \(group)")
        try require(!record.isRevoked, "group \(group) was found wrong before")
        creditVerifier(doubt.accuser, flops: doubt.auditFLOPs)
        endDoubt(about: group)
        groups[group]?.isRevoked = true
        closeCheck(of: group)
        noteRejected(record.version)
        for (other, judged) in groups where judged.worker == record.worker && judged.verdict != nil {
            groups[other]?.verdict?.forfeited.removeAll { $0.group == group }
        }
        let isPromised = workers[record.worker]?.unvested.contains { $0.group == group } ?? false
        switch record.phase {
        case .accepted:
            acceptedGroups.removeAll { $0 == group }
            dropGroup(group, .rejected)
        case .batched: break
        case .queued, .auditing, .scoring, .provisional, .setAside:
            try require(false, "group \(group) was never accepted")
        }
        updateWorker(record.worker) { worker in
            worker.rejected += 1
            worker.strikes += 1
            worker.streak = 0
            worker.tolerated = 0
            guard !isPromised else { return }
            _ = worker.pay(atMost: record.work)
            worker.earned -= min(worker.earned, record.work)
        }
        countRejection(finding)
    }

    private mutating func applyOverturned(_ group: Hash256, withheld: Int64) throws(FactMismatch) {
        let record = try found(groups[group], "group \(group)")
        let verdict = try found(record.verdict, "verdict about group \(group)")
        for accuser in verdict.accusers { updateVerifier(accuser) { $0.refuted += 1 } }
        groups[group]?.verdict = nil
        updateWorker(record.worker) { worker in
            if verdict.finding != nil {
                worker.rejected -= min(1, worker.rejected)
                worker.strikes -= min(1, worker.strikes)
            }
            worker.accepted += 1
            worker.earn(record.work, withheld: withheld)
            worker.balance = saturatingSum(worker.balance, verdict.earningsTaken)
            worker.staked = saturatingSum(worker.staked, verdict.stakeTaken)
            // What nobody had vouched for is not vouched for by this either; a banned key hands in nothing that could.
            if worker.ban == nil {
                worker.unvested = (worker.unvested + verdict.forfeited).sorted { $0.ordinal < $1.ordinal }
            }
        }
    }

    /// Ends the check of a group, whether a verifier holds it or not.
    mutating func closeCheck(of group: Hash256) {
        guard let check = groups[group]?.check else { return }
        groups[group]?.check = nil
        checkQueue.removeAll { $0 == group }
        takeCheckAway(check)
    }

    /// Takes the audit of a check away from its verifier.
    mutating func takeCheckAway(_ check: Check) {
        guard let audit = check.audit, let record = audits.removeValue(forKey: audit) else { return }
        verifiers[record.verifier]?.liveAudits.remove(audit)
        openChecks -= 1
    }

    /// The verifiers that found a group good and have not been found to lie.
    func standingConfirmations(of group: Hash256) -> [PublicKey] {
        (groups[group]?.confirmations ?? []).filter { verifiers[$0]?.ban == nil }
    }

    /// Notes that a verifier's replay agreed with a group.
    mutating func confirm(_ group: Hash256, _ verifier: PublicKey) {
        guard let record = groups[group], !record.confirmations.contains(verifier), record.confirmations.count < 8
        else { return }
        groups[group]?.confirmations.append(verifier)
    }

    mutating func updateVerifier(_ key: PublicKey, _ change: (inout VerifierRecord) -> Void) {
        change(&verifiers[key, default: VerifierRecord()])
    }
}
