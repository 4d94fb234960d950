import Identity

/// Promised credit whose worker hands in nothing more: one of its groups is audited, so that the rest does not hang.
extension Run {
    /// Looks at a worker's promised credit, where no later group of it is to be expected.
    ///
    /// That of a worker which left is looked at from the next epoch on: else one that comes and goes would have its groups
    /// audited when it likes.
    mutating func reviewAccount(_ key: PublicKey) {
        // Who is only disconnected is looked at when it does not come back.
        guard state.unvestedWorkers.contains(key), isClosing || presence.members[key] == nil else { return }
        let epoch = state.epoch?.number ?? 0
        guard isClosing || presence.departures[key, default: epoch] < epoch else {
            presence.departures[key] = epoch
            return
        }
        presence.accounts.insert(key)
    }

    /// Looks at the accounts of those that left before the epoch that has just begun.
    mutating func reviewDepartures() {
        presence.departures = presence.departures.filter { state.unvestedWorkers.contains($0.key) }
        for key in presence.departures.keys.sorted(by: { $0.hex < $1.hex }) { reviewAccount(key) }
    }

    /// Audits one more group of every worker whose promised credit nothing else would vouch for.
    ///
    /// One audit is under way at a time; when it ends, the account is looked at again. Which group it is, decides HMAC.
    mutating func closeAccounts() {
        if isClosing, !presence.closesAllAccounts {
            presence.closesAllAccounts = true
            presence.accounts.formUnion(state.unvestedWorkers)
        }
        guard !presence.accounts.isEmpty, let secret = drawSecret else { return }
        let keys = presence.accounts.sorted { $0.hex < $1.hex }
        presence.accounts = []
        for key in keys {
            guard let worker = state.workers[key], worker.ban == nil, !isVouching(for: key, worker) else { continue }
            let candidates = worker.unvested.map(\.group).filter { state.groups[$0].map(mayClose) ?? false }
            let chosen = candidates.min { AuditDraw.order($0, secret: secret) < AuditDraw.order($1, secret: secret) }
            guard let chosen, let record = state.groups[chosen] else { continue }
            if record.isWaiting { pick(chosen) } else { openCheck(of: chosen, .vesting) }
        }
    }

    /// No batch is to come, so no later group either.
    var isClosing: Bool { isAdaptive && state.cutStep >= configuration.steps }

    /// Whether some promised credit may still be vouched for before the run ends.
    var hasOpenAccounts: Bool {
        guard isClosing else { return false }
        return state.unvestedWorkers.contains { key in
            presence.accounts.contains(key)
                || state.workers[key].map { $0.ban == nil && isVouching(for: key, $0) } ?? false
        }
    }

    /// Whether something is still to be decided before the run ends: promised credit, groups in audit, accusations, and what
    /// the trainer doubted last.
    var hasOpenQuestions: Bool {
        guard !connectedMembers(.verifier).isEmpty || state.verifiers.values.contains(where: { $0.ban == nil }) else {
            return false
        }
        return hasOpenAccounts || state.pendingAuditCount > 0 || !state.checkQueue.isEmpty || state.openChecks > 0
    }

    private func mayClose(_ record: GroupRecord) -> Bool {
        switch record.phase {
        case .provisional: true
        case .batched: record.check == nil && !record.isSuspect && !record.isUnreachable
        case .queued, .auditing, .scoring, .accepted, .setAside: false
        }
    }

    /// Whether an audit is under way after which the account is looked at again.
    private func isVouching(for key: PublicKey, _ worker: WorkerRecord) -> Bool {
        !(presence.owedVouches[key] ?? []).isEmpty
            || worker.pendingGroups.contains {
                state.groups[$0].map { reach(of: $0) > 0 && $0.vouchesThrough > 0 } ?? false
            }
            || worker.unvested.contains { promised in
                switch state.groups[promised.group]?.phase {
                case .queued, .auditing: true
                default: state.groups[promised.group]?.check != nil
                }
            }
    }

    // MARK: - Beyond a STABLE checkpoint

    /// The groups that are remembered although a checkpoint is about to cover them: those that are being checked, and one
    /// for each worker whose promised credit would have no other group left that an audit could look at.
    func groupsToKeep(beyond step: UInt64) -> [Hash256] {
        guard step > state.stableStep else { return [] }
        let released = ((state.stableStep + 1)...step).flatMap { state.batches[$0] ?? [] }
        let earlier = released.flatMap { state.groups[$0].flatMap { state.slots[$0.slot]?.earlier } ?? [] }
        var kept = (released + earlier).filter { state.groups[$0]?.check != nil }
        guard let secret = drawSecret, !state.unvestedWorkers.isEmpty else { return kept }
        let leaving = Set(released)
        let workers = Set(released.compactMap { state.groups[$0]?.worker }).intersection(state.unvestedWorkers)
        for key in workers.sorted(by: { $0.hex < $1.hex }) {
            let promised = (state.workers[key]?.unvested ?? []).map(\.group).filter { state.groups[$0] != nil }
            guard promised.allSatisfy({ leaving.contains($0) }) else { continue }
            let candidates = promised.filter { state.groups[$0].map(mayClose) ?? false }
            let chosen = candidates.min { AuditDraw.order($0, secret: secret) < AuditDraw.order($1, secret: secret) }
            if let chosen { kept.append(chosen) }
        }
        return kept
    }

    /// Looks at the credit that has waited for long, since it keeps a version's weights from being removed.
    mutating func closeOverdueAccounts() {
        for group in state.keptGroups {
            guard let record = state.groups[group], case .batched(let step) = record.phase,
                state.stableStep - min(state.stableStep, step) >= configuration.auditing.unvestedSteps
            else { continue }
            presence.accounts.insert(record.worker)
        }
    }

    /// Forgets the groups that were kept and have been checked, or whose credit counts or is lost.
    mutating func forgetKeptGroups() {
        guard presence.reviewsKeptGroups else { return }
        presence.reviewsKeptGroups = false
        let needless = state.keptGroups.filter { group in
            guard let record = state.groups[group] else { return true }
            let isPromised = state.workers[record.worker]?.unvested.contains { $0.group == group } ?? false
            return record.check == nil && !(isPromised && mayClose(record))
        }
        guard !needless.isEmpty else { return }
        commit(.groupsForgotten(groups: needless))
        outbox.append(.forgetGroups(needless))
    }

    /// The versions whose weights may still be needed for a replay: for what waits for an audit or is being checked, for
    /// credit that nobody has vouched for, and for evidence of late.
    public var versionsInUse: Set<UInt64> {
        var numbers = Set(state.rejectedVersions)
        for record in state.groups.values {
            switch record.phase {
            case .accepted, .batched: if record.check != nil { numbers.insert(record.version) }
            case .queued, .auditing, .scoring, .provisional, .setAside: numbers.insert(record.version)
            }
        }
        for key in state.unvestedWorkers {
            for promised in state.workers[key]?.unvested ?? [] {
                if let version = state.groups[promised.group]?.version { numbers.insert(version) }
            }
        }
        return numbers
    }
}
