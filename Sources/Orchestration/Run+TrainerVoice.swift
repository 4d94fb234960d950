import Identity

/// What the trainer says of groups that it computes itself: those that nobody replayed, those that were compared by
/// tolerances, and those about which one verifier says this and another one that.
extension Run {
    /// Has groups audited after all of which the trainer computed something else: once, however often a trainer that starts
    /// again reports them.
    mutating func takeDoubts(_ from: Correspondent, _ groups: [Hash256], _ now: Instant) {
        guard sender(from, .trainer, now) != nil else { return }
        for group in groups.prefix(configuration.groupsPerBatch) {
            guard let record = state.groups[group], case .batched = record.phase, !record.wasDoubted else { continue }
            if state.contestedGroups.contains(group), let doubt = record.doubt, !record.isAlwaysAudited {
                // The accuser and the trainer are two.
                revoke(group, record, doubt.finding)
            } else {
                openCheck(of: group, .doubted)
            }
        }
    }

    /// Has groups audited after all that the trainer could not compute, and says why it could not.
    mutating func takeUnavailable(
        _ from: Correspondent, _ groups: [(group: Hash256, reason: String)], _ now: Instant
    ) {
        guard sender(from, .trainer, now) != nil else { return }
        for (group, reason) in groups.prefix(configuration.groupsPerBatch) {
            guard let record = state.groups[group], case .batched = record.phase, !record.wasDoubted else { continue }
            report(
                .groupUnavailable(
                    group: group, worker: record.worker, reason: bounded(reason, Finding.maximumReasonBytes)))
            if state.contestedGroups.contains(group) {
                settleContest(group, isRefuted: false)
            } else {
                openCheck(of: group, .unavailable)
            }
        }
    }

    /// Leaves a contradiction between two verifiers to the trainer, where no third one can be asked.
    ///
    /// A match can be made up by a verifier that conspires with the worker, and a mismatch by anybody: so neither counts
    /// alone. Nobody is blamed where the trainer computes nothing, since the group was trained on before.
    mutating func contest(_ group: Hash256, _ dispute: GroupRecord.Dispute) {
        guard let record = state.groups[group], record.isCounted, !record.isRevoked else { return }
        commit(
            .acceptanceContested(
                group: group, accuser: dispute.accuser, audit: dispute.audit, finding: dispute.finding,
                auditFLOPs: dispute.auditFLOPs))
        report(.verdictDoubted(group: group, accuser: dispute.accuser, finding: dispute.finding))
        guard case .batched(let step) = record.phase, step <= state.doneStep || record.wasDoubted else { return }
        // What nobody had replayed before, the trainer has computed, and did not doubt.
        let hasAgreed = record.confirmations.count == 1 && record.draw?.isDrawn == false && !record.wasDoubted
        settleContest(group, isRefuted: hasAgreed)
    }

    /// The trainer is done with all batches before this step: what it did not doubt in them is what it computed.
    mutating func settleContests(before step: UInt64) {
        for group in state.contestedGroups.sorted() {
            if case .batched(let made)? = state.groups[group]?.phase, made < step {
                settleContest(group, isRefuted: true)
            }
        }
    }

    /// Ends a contest in the group's favour; its accuser is refuted where the trainer compares what it accused.
    ///
    /// The trainer has neither commitments nor proofs nor margins, only tokens and log-probabilities. A group that is right
    /// in those was computed, whatever else is wrong with it, and its accuser may have told the truth.
    private mutating func settleContest(_ group: Hash256, isRefuted: Bool) {
        guard let record = state.groups[group], let doubt = record.doubt else { return }
        let isComparable = ["log-probability", "sampling"].contains(doubt.finding.check) && !record.isAlwaysAudited
        commit(.contestSettled(group: group, isRefuted: isRefuted && isComparable))
        if isRefuted, isComparable { refute(doubt.accuser) }
    }
}
