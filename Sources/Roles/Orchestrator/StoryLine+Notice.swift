import Identity
import Orchestration

extension StoryLine {
    /// The line for what the state machine reports; nil for what only a log should hold.
    init?(_ notice: RunNotice, name: (PublicKey) -> String) {
        switch notice {
        case .memberJoined(let key, let role, _):
            self.init("joined", "\(name(key)) joined as \(role.rawValue).", member: name(key))
        case .memberLeft(let key, let role, let reason):
            self.init(
                "left", "\(name(key)) (\(role.rawValue)) is gone: \(reason).", member: name(key),
                reason: reason == "goodbye" ? "drained" : nil)
        case .versionPublished(let version):
            self.init(
                "version", "Version \(version.number) is published (step \(version.step)).", step: version.step,
                values: ["version": Double(version.number)])
        case .groupRejected(let group, let worker, let finding, let strikes):
            self.init(
                "rejected",
                "Group \(group.hex.prefix(8)) of \(name(worker)) rejected by \(finding.check): \(finding.reason)",
                member: name(worker), reason: finding.check, values: ["strikes": Double(strikes)])
        case .workerBanned(let worker, let finding, let audited, let burned):
            self.init(
                "banned", "\(name(worker)) is out after \(audited) audited groups: \(finding.reason)",
                member: name(worker), reason: finding.check,
                values: ["audited": Double(audited), "burned": Double(burned)])
        case .verifierBanned(let verifier, let finding):
            self.init(
                "verifier-banned", "\(name(verifier)) audits no more: \(finding.reason)", member: name(verifier),
                reason: finding.check)
        case .auditLost(_, let verifier, let reason):
            self.init("audit-lost", "An audit at \(name(verifier)) came to nothing: \(reason).", member: name(verifier))
        case .auditDisputed(_, let accuser, let finding):
            self.init(
                "disputed", "\(name(accuser)) found \(finding.check); another verifier looks at it too.",
                member: name(accuser), reason: finding.check)
        case .epochBegan(let epoch):
            self.init(
                "epoch",
                "Audits are drawn by the secret whose SHA-256 is \(epoch.commitment)."
                    + (epoch.revealed.map { " The secret of epoch \(epoch.number &- 1) was \($0)." } ?? ""),
                values: ["epoch": Double(epoch.number)])
        case .creditForfeited(let worker, let forfeited, let fined):
            self.init(
                "forfeited", "\(name(worker)) loses what was promised to it for groups that were not audited.",
                member: name(worker), values: ["forfeited": Double(forfeited), "fined": Double(fined)])
        case .checkDone(let verifier, let purpose, false):
            self.init(
                "check-failed", "\(name(verifier)) differs about a group that has its verdict (\(purpose.rawValue)).",
                member: name(verifier), reason: purpose.rawValue)
        case .verdictDoubted(let group, let accuser, let finding):
            self.init(
                "doubted",
                "\(name(accuser)) finds \(finding.check) in group \(group.hex.prefix(8)), which counted until now.",
                member: name(accuser), reason: finding.check)
        case .replaysDiffer(let group, let verifier, let others):
            self.init(
                "replays-differ",
                "\(name(verifier)) and \(others.map(name).joined(separator: ", ")) find group \(group.hex.prefix(8)) good by different "
                    + "numbers: honest replays are equal.",
                member: name(verifier), reason: others.map(name).joined(separator: " "))
        case .groupUnavailable(let group, let worker, let reason):
            self.init(
                "left-out", "Group \(group.hex.prefix(8)) of \(name(worker)) is left out of the step: \(reason)",
                member: name(worker), reason: reason)
        case .verdictOverturned(let group, let worker, let wasAccepted):
            self.init(
                "overturned",
                "Group \(group.hex.prefix(8)) of \(name(worker)) is \(wasAccepted ? "rejected" : "credited") after all.",
                member: name(worker))
        case .groupDiscarded(_, let worker, let version):
            self.init(
                "discarded", "A group of \(name(worker)) under version \(version) came too late for any batch.",
                member: name(worker))
        case .batchRedispatched(let step): self.init("redispatched", "Batch \(step) is sent again.", step: step)
        case .checkpointStable(let step): self.init("checkpoint", "Everything up to step \(step) is safe.", step: step)
        case .trainerResumed(let step, let from):
            self.init("resumed", "The trainer goes on from step \(step); it had made step \(from).", step: step)
        case .refused(let key, let code, let reason):
            self.init("refused", reason, member: key.map(name), reason: code)
        case .draining(let reason): self.init("draining", "No new leases: \(reason).")
        case .runFinished(let steps): self.init("finished", "All \(steps) steps are made.", step: steps)
        case .leaseEnded, .groupReceived, .groupRefused, .groupAccepted, .groupWithdrawn, .batchCut, .batchDone,
            .groupProvisional, .groupPicked, .groupsVested, .checkDone:
            return nil
        }
    }
}
