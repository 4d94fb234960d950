import Identity

extension Run {
    /// The operator wants to stop: nothing new is leased, what is in flight may finish.
    mutating func beginDrain(_ reason: String, _ milliseconds: UInt64, _ now: Instant) {
        guard presence.drain == nil, presence.finishedSince == nil else { return }
        presence.drain = Presence.Drain(reason: reason, deadline: now.advanced(by: milliseconds))
        report(.draining(reason: reason))
        for member in connectedMembers() where member.role != .verifier { tellDrain(member.key) }
    }

    /// Tells one member that no more work is coming.
    mutating func tellDrain(_ key: PublicKey) {
        guard let member = presence.members[key], let connection = member.connection else { return }
        // Verifiers are needed until the last group has its verdict.
        if member.role == .verifier, presence.finishedSince == nil || presence.awaitsVerdicts,
            presence.drain?.isVerificationOver != true
        {
            return
        }
        outbox.append(
            .sendDrain(
                to: connection, reason: presence.drain?.reason ?? "all steps are made",
                runFinished: presence.finishedSince != nil))
    }

    /// Ends the run when all steps are made, and the process when there is nothing left to wait for.
    mutating func concludeRun(_ now: Instant) {
        guard !presence.isStopped else { return }
        let timing = configuration.timing
        if state.doneStep >= configuration.steps, presence.finishedSince == nil {
            presence.finishedSince = now
            expect(now.advanced(by: timing.finish))
            report(.runFinished(steps: configuration.steps))
            presence.awaitsVerdicts = hasOpenQuestions
            for member in connectedMembers() { tellDrain(member.key) }
        }
        if let since = presence.finishedSince {
            let isLate = now.elapsed(since: since) >= timing.finish
            // As long as verifiers come to verdicts, they are waited for.
            let isSilent = now.elapsed(since: max(since, presence.lastAudit)) >= max(timing.finish, timing.audit)
            if presence.awaitsVerdicts, isSilent || !hasOpenQuestions {
                presence.awaitsVerdicts = false
                for member in connectedMembers(.verifier) { tellDrain(member.key) }
            }
            guard !presence.awaitsVerdicts else { return }
            if state.stableStep >= configuration.steps || isLate {
                // All draws are made.
                revealEpoch()
                stop("all \(configuration.steps) steps are made")
            }
        } else if let drain = presence.drain {
            concludeDrain(drain, now)
        }
    }

    private mutating func concludeDrain(_ drain: Presence.Drain, _ now: Instant) {
        let isLate = now >= drain.deadline
        let isIdle = state.liveLeases.isEmpty && state.pendingAuditCount == 0 && state.scoringGroups.isEmpty
        if isIdle || isLate, !drain.isVerificationOver {
            presence.drain?.isVerificationOver = true
            for member in connectedMembers(.verifier) { tellDrain(member.key) }
        }
        // The trainer says goodbye after its last checkpoint.
        if isLate || (isIdle && presence.trainer == nil) { stop(drain.reason) }
    }

    private mutating func stop(_ reason: String) {
        presence.isStopped = true
        outbox.append(.stop(reason: reason))
    }
}
