import Identity

extension Run {
    /// Sends a batch that exists, or notes that the trainer waits for the next one.
    mutating func requestBatch(_ from: Correspondent, _ step: UInt64, _ now: Instant) {
        guard sender(from, .trainer, now) != nil else { return }
        settleContests(before: min(step, state.doneStep + 1))
        presence.batchRequest = nil
        if let groups = state.batches[step] {
            outbox.append(.sendBatch(to: from, step: step, groups: groups))
            report(.batchRedispatched(step: step))
        } else if step <= state.stableStep {
            refuse(
                from,
                Refusal(
                    "batch-released", "A STABLE checkpoint covers step \(state.stableStep); batch \(step) is gone.",
                    advice: "Resume from the newest STABLE checkpoint.", final: true))
        } else if step > configuration.steps {
            outbox.append(.sendDrain(to: from.connection, reason: "all steps are made", runFinished: true))
        } else if step > state.cutStep + 1 {
            refuse(
                from,
                Refusal(
                    "batch-ahead", "Batch \(step) was asked for, but the next one is \(state.cutStep + 1).",
                    advice: "Use the checkpoints and the database of the same run.", final: true))
        } else {
            presence.batchRequest = (from, step)
        }
    }

    /// Puts the next batch together when the trainer waits for it: the one place that decides what is too old.
    mutating func cutBatches() {
        guard let request = presence.batchRequest, request.step == state.cutStep + 1,
            state.cutStep - state.stableStep < configuration.limits.retainedBatches
        else { return }
        let step = request.step
        discardStaleGroups(forBatch: step)
        let missing = max(0, configuration.groupsPerBatch - state.acceptedGroups.count)
        let waiting = missing > 0 ? state.provisionalGroups : []
        let provisional = Array(provisionalMembers(forBatch: step, of: waiting).prefix(missing))
        guard provisional.count == missing else { return }
        let groups = Array(oldestFirst(state.acceptedGroups).prefix(configuration.groupsPerBatch)) + provisional
        commit(.batchCut(step: step, groups: groups))
        let staleness = staleness(ofBatch: step) ?? (0, 0)
        presence.batchRequest = nil
        outbox.append(.sendBatch(to: request.from, step: step, groups: groups))
        report(
            .batchCut(
                step: step, groups: groups.count, provisional: provisional.count, meanStaleness: staleness.mean,
                maximumStaleness: staleness.maximum))
        cancelStaleLeases()
    }

    /// Those of the oldest versions first, since they have the fewest batches left to them; else in the same order.
    private func oldestFirst(_ groups: [Hash256]) -> [Hash256] {
        let steps = groups.map { state.groups[$0].flatMap { state.versions[$0.version]?.step } ?? 0 }
        return groups.indices.sorted { (steps[$0], $0) < (steps[$1], $1) }.map { groups[$0] }
    }

    private mutating func discardStaleGroups(forBatch step: UInt64) {
        for group in state.acceptedGroups + state.provisionalGroups {
            guard let record = state.groups[group], let version = state.versions[record.version],
                !isFresh(version, forBatch: step)
            else { continue }
            if record.isWaiting {
                // No trainer will ever see it: without an audit of its own it would be paid unseen.
                pick(group, isForeseen: true)
                continue
            }
            commit(.groupDiscarded(group: group, step: step))
            outbox.append(.forgetGroups([group]))
            report(.groupDiscarded(group: group, worker: record.worker, version: record.version))
        }
    }

    /// The trainer made a step.
    mutating func finishBatch(_ from: Correspondent, _ step: UInt64, _ now: Instant) {
        guard sender(from, .trainer, now) != nil else { return }
        guard step <= state.cutStep else {
            refuse(from, Refusal("batch-unknown", "Batch \(step) was never sent.", final: true))
            return
        }
        if step > state.doneStep {
            commit(.batchDone(step: step))
            report(.batchDone(step: step))
        }
        outbox.append(.acknowledge(to: from))
    }

    /// A STABLE checkpoint covers a step: its batches need not be kept.
    mutating func makeStable(_ from: Correspondent, _ step: UInt64, _ now: Instant) {
        guard sender(from, .trainer, now) != nil else { return }
        guard step <= state.cutStep else {
            refuse(from, Refusal("batch-unknown", "Batch \(step) was never sent.", final: true))
            return
        }
        if step > state.stableStep {
            settleContests(before: step + 1)
            let kept = groupsToKeep(beyond: step)
            let released = releasedGroups(through: step, but: kept)
            commit(.checkpointStable(step: step, kept: kept.isEmpty ? nil : kept))
            outbox.append(.forgetGroups(released))
            closeOverdueAccounts()
            report(.checkpointStable(step: step))
        }
        outbox.append(.acknowledge(to: from))
    }

    private func releasedGroups(through step: UInt64, but kept: [Hash256]) -> [Hash256] {
        guard step > state.stableStep else { return [] }
        let kept = Set(kept)
        return ((state.stableStep + 1)...step).flatMap { state.batches[$0] ?? [] }.flatMap { group in
            ([group] + (state.groups[group].flatMap { state.slots[$0.slot]?.earlier } ?? []))
                .filter { !kept.contains($0) }
        }
    }

    /// Why a trainer may not join.
    func trainerObjection(_ hello: Hello) -> Refusal? {
        guard configuration.trainers.contains(hello.key) else {
            return Refusal("not-listed", "This key is not a trainer of the run.", final: true)
        }
        if let present = presence.trainer, present != hello.key {
            return Refusal("trainer-present", "Another trainer is connected.", advice: "Stop it first.")
        }
        if hello.resumeStep < state.stableStep {
            return Refusal(
                "checkpoint-lost",
                "The trainer resumes at step \(hello.resumeStep), but batches up to \(state.stableStep) are released.",
                advice: "Restore checkpoint step \(state.stableStep).", final: true)
        }
        if hello.resumeStep > state.cutStep {
            return Refusal(
                "checkpoint-ahead",
                "The trainer resumes at step \(hello.resumeStep), but only \(state.cutStep) batches were ever made.",
                advice: "Use the checkpoints and the database of the same run.", final: true)
        }
        return nil
    }

    /// The trainer is back at its newest STABLE checkpoint; later batches go to it again, in the same order.
    ///
    /// Nothing is released by that, although the checkpoint covers it: first the trainer tells again what it found wrong in
    /// groups of those batches, as far as it does not know that it was heard. Then it tells the checkpoint itself.
    mutating func resumeTrainer(_ step: UInt64) {
        let before = state.doneStep
        guard step != before || step != state.stableStep else { return }
        if step < before { commit(.trainerResumed(step: state.stableStep, kept: nil)) }
        if step > state.doneStep { commit(.batchDone(step: step)) }
        report(.trainerResumed(step: step, from: before))
    }
}
