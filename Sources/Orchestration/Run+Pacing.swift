import Identity

extension Run {
    /// Whether batch n may take a group of this version: the staleness rule.
    func isFresh(_ version: PolicyVersion, forBatch step: UInt64) -> Bool {
        step - 1 - min(step - 1, version.step) <= configuration.maximumStaleness
    }

    /// Slots that may be leased now.
    ///
    /// Production is paced so that work is rarely wasted: at most `pace` batches ahead of the newest version's step,
    /// and never more groups than the run will use.
    var leaseRoom: Int {
        guard let version = state.newest, isFresh(version, forBatch: state.cutStep + 1) else { return 0 }
        let ahead = version.step.addingReportingOverflow(configuration.pace)
        let wanted = ahead.overflow ? configuration.steps : min(configuration.steps, ahead.partialValue + 1)
        guard wanted > state.cutStep else { return 0 }
        let batches = Int(clamping: wanted - state.cutStep)
        let (groups, overflow) = batches.multipliedReportingOverflow(by: configuration.groupsPerBatch)
        // The last batch leaves nothing to a next one.
        let carried = wanted < configuration.steps ? min(state.provisionalGroups.count, carriedGroups) : 0
        return max(0, (overflow ? Int.max : groups) - (state.slotsInProduction - carried))
    }

    /// Groups that a batch may leave to the next one, because nobody has vouched for them yet.
    ///
    /// The audits that are drawn of the groups after them mostly do: so those need not be picked. They are made beyond the
    /// pace, and only where staleness leaves room for one more batch. A quarter of a batch halves the picked audits in
    /// simulated runs, at no cost in time; with a half, a trainer that is as fast as the workers waits 3 per cent longer.
    var carriedGroups: Int {
        isAdaptive && configuration.maximumStaleness > configuration.pace ? configuration.groupsPerBatch / 4 : 0
    }

    /// Leases that one worker may get beyond those that it holds.
    func leaseAllowance(_ key: PublicKey, _ now: Instant) -> Int {
        guard let member = presence.members[key], let request = member.request else { return 0 }
        let worker = state.workers[key] ?? WorkerRecord()
        guard worker.ban == nil, (member.stalledUntil ?? now) <= now, (presence.delays[key] ?? now) <= now else {
            return 0
        }
        var allowance = min(request.count, configuration.limits.leasesPerWorker - worker.liveLeases.count)
        if worker.isOnProbation(isForeign: !member.engine.isEmpty) {
            allowance = min(allowance, configuration.limits.probationGroups - worker.unauditedGroups)
        }
        if isAdaptive, auditProbability(of: worker, engine: member.engine) == AuditDraw.certain {
            allowance = min(allowance, untrustedAllowance(worker))
        }
        if member.stalls > 0 { allowance = min(allowance, 1 - worker.liveLeases.count) }
        return max(0, allowance)
    }

    /// Leases that a key may get that is not trusted: few tokens of it are open at once.
    ///
    /// A group counts with its tokens, whether an audit or a batch is to come, a lease with what the run's verified groups
    /// have had on average, or with all tokens that it may come to where there are none yet.
    private func untrustedAllowance(_ worker: WorkerRecord) -> Int {
        let auditing = configuration.auditing
        let most = max(1, auditing.leaseTokens)
        let (bound, overflow) = most.multipliedReportingOverflow(by: auditing.untrustedLeases)
        guard !overflow else { return .max }
        let mean = state.counters.verifiedGroups > 0 ? max(1, state.counters.meanTokens) : most
        let pending = (worker.pendingGroups + worker.waitingGroups).reduce(UInt64(0)) {
            $0 + (state.groups[$1]?.tokens ?? 0)
        }
        let open = pending + UInt64(worker.liveLeases.count) * min(mean, most)
        return bound > open ? Int(clamping: (bound - open) / min(mean, most)) : 0
    }

    /// Deals the room out by measured speed, so that all who work get their part of every batch.
    ///
    /// Unit by unit, the next slot goes to whoever would hold the least for its speed. While shares are kept, workers
    /// that are busy take part too, and what falls to them stays undealt until they ask.
    func leaseShares(room: Int, keepsShares: Bool, _ now: Instant) -> [(key: PublicKey, count: Int)] {
        struct Candidate {
            let key: PublicKey
            let weight: Double
            let isWaiting: Bool
            var held: Int
            var allowance: Int
            var count = 0
        }
        var keys = presence.waitingWorkers
        if keepsShares {
            let waiting = Set(keys)
            keys += connectedMembers(.worker).map(\.key).filter {
                !waiting.contains($0) && !(state.workers[$0]?.liveLeases.isEmpty ?? true)
            }
        }
        let paces = keys.compactMap { presence.members[$0]?.pace.groupsPerMillisecond }
        let typical = paces.isEmpty ? 1 : paces.reduce(0, +) / Double(paces.count)
        var candidates = keys.map { key in
            let isWaiting = presence.members[key]?.request != nil
            let isForeign = presence.members[key]?.engine.isEmpty == false
            let isOnProbation = state.workers[key]?.isOnProbation(isForeign: isForeign) ?? true
            return Candidate(
                key: key, weight: presence.members[key]?.pace.groupsPerMillisecond ?? typical, isWaiting: isWaiting,
                held: state.workers[key]?.liveLeases.count ?? 0,
                // What a busy worker may take once it asks; nothing is kept for one on probation.
                allowance: isWaiting ? leaseAllowance(key, now) : isOnProbation ? 0 : room)
        }
        for _ in 0..<room {
            var best: Int?
            var bestLoad = Double.infinity
            for index in candidates.indices where candidates[index].allowance > 0 {
                let load = Double(candidates[index].held + 1) / candidates[index].weight
                if load < bestLoad { (best, bestLoad) = (index, load) }
            }
            guard let best else { break }
            candidates[best].held += 1
            candidates[best].allowance -= 1
            candidates[best].count += 1
        }
        return candidates.filter { $0.isWaiting && $0.count > 0 }.map { ($0.key, $0.count) }
    }
}
