import Identity

extension DurableState {
    /// Makes one durable change; on a throw the state is not to be used any more.
    public mutating func apply(_ fact: Fact) throws(FactMismatch) {
        switch fact {
        case .invitationUsed(let invitation, let worker, let stake):
            try require(invitations[invitation] == nil, "the invitation was used before")
            invitations[invitation] = worker
            updateWorker(worker) { $0.staked = saturatingSum($0.staked, stake) }

        case .versionPublished(let version):
            try applyPublished(version)

        case .leaseGranted(let lease, let slot, let attempt, let worker, let version, let engine):
            try applyGranted(
                lease, slot: slot, attempt: attempt, worker: worker, version: version, engine: engine ?? "")
        case .leaseEnded(let lease, let reason):
            try require(leases[lease]?.phase == .live, "lease \(lease) is not live")
            endLease(lease, reason)

        case .groupReceived(let group, let lease, let tokens, let work, let content, let isAlwaysAudited):
            try applyReceived(
                group, lease: lease, tokens: tokens, work: work ?? 0, content: content,
                isAlwaysAudited: isAlwaysAudited ?? false)
        case .groupAccepted(let group, let audit, _, let verifiedFLOPs, let withheld, let auditFLOPs):
            try applyAccepted(
                group, audit: audit, verifiedFLOPs: verifiedFLOPs, withheld: withheld, auditFLOPs: auditFLOPs)
        case .groupRejected(let group, let lease, let audit, let finding, let auditFLOPs):
            try applyRejected(group, lease: lease, audit: audit, finding: finding, auditFLOPs: auditFLOPs)
        case .groupWithdrawn(let group, _):
            try applyWithdrawn(group)
        case .groupDiscarded(let group, _):
            try applyDiscarded(group)

        case .auditAssigned(let audit, let group, let verifier):
            try applyAssigned(audit, group: group, verifier: verifier)
        case .auditLost(let audit, _):
            try applyLost(audit)
        case .auditDisputed(let audit, let finding, let auditFLOPs):
            try applyDisputed(audit, finding: finding, auditFLOPs: auditFLOPs)

        case .epochBegan, .epochRevealed, .auditDrawn, .groupScored, .groupPicked, .groupVested, .creditForfeited:
            try applyDraw(fact)
        case .checkOpened, .checkAssigned, .checkPassed, .checkFailed, .checkClosed, .acceptanceDoubted,
            .acceptanceContested, .contestSettled, .acceptanceRevoked, .rejectionOverturned, .replayRefuted:
            try applyCheck(fact)

        case .workerBanned(let worker, let finding, let burned):
            try require(workers[worker]?.ban == nil, "the worker was banned before")
            workers[worker, default: WorkerRecord()].ban = finding
            updateWorker(worker) { $0.staked -= min($0.staked, max(0, burned)) }
            workers[worker]?.streak = 0
            workers[worker]?.tolerated = 0
        case .workersForgotten(let forgotten):
            try applyForgotten(forgotten)
        case .verifierBanned(let verifier, let finding):
            verifiers[verifier, default: VerifierRecord()].ban = finding

        case .batchCut(let step, let groups):
            try applyCut(step, groups)
        case .batchDone(let step):
            try require(step > doneStep && step <= cutStep, "step \(step) cannot be done")
            doneStep = step
        case .checkpointStable(let step, let kept):
            try require(step > stableStep && step <= cutStep, "step \(step) cannot become stable")
            doneStep = max(doneStep, step)
            release(through: step, keeping: kept ?? [])
        case .trainerResumed(let step, let kept):
            try require(step >= stableStep && step <= cutStep, "the trainer cannot resume at step \(step)")
            doneStep = step
            release(through: step, keeping: kept ?? [])
        case .groupsForgotten(let forgotten):
            try applyForgotten(forgotten)
        }
        factCount += 1
    }

    func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws(FactMismatch) {
        guard condition else { throw FactMismatch(index: factCount, reason: reason()) }
    }

    func found<Value>(_ value: Value?, _ what: @autoclosure () -> String) throws(FactMismatch) -> Value {
        guard let value else { throw FactMismatch(index: factCount, reason: "no \(what()) is known") }
        return value
    }
}
