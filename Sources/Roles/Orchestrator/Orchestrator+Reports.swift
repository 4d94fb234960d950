import Identity
import Messages
import Orchestration
import Verification

/// What verifiers report: compared within the turn, scored beside it.
extension Orchestrator {
    /// An audit whose replay agrees, while the lab scores the group.
    struct Judgement {
        let agreement: AuditDesk.Agreement
        /// Where the verifier spoke last: it repeats its report until it is answered.
        var from: Correspondent
    }

    func takeReport(_ report: Wire.AuditReport, from: Correspondent) {
        guard let identity = connections[from.connection]?.identity else { return }
        let id = report.auditID
        guard run.key(on: from.connection) != nil else {
            // The machine refuses it: it is sent again after a hello, not lost.
            step(.auditReturned(from: from, audit: id))
            return
        }
        guard let audit = run.audit(id, on: from.connection) else {
            // Late, or taken away meanwhile: acknowledged so that the verifier stops repeating it.
            send(.acknowledgement(Wire.Acknowledgement()), to: from)
            return
        }
        guard judgements[id] == nil else {
            judgements[id]?.from = from
            return
        }
        chronicle.note(verifySeconds: report.seconds)
        switch desk.compare(report, by: identity, of: audit.group, record: audit.record) {
        case .fault(let reason):
            step(.auditReported(from: from, audit: id, verdict: .inconclusive(reason: reason)))
        case .differs(let finding, let work, let evidence):
            offered = evidence
            step(.auditReported(from: from, audit: id, verdict: .rejected(finding, auditFLOPs: work)))
            offered = nil
        case .agrees(let agreement) where run.isCheck(id):
            step(.auditReported(from: from, audit: id, verdict: agreement.acceptance([])))
            compareReplays(agreement)
        case .agrees(let agreement):
            step(.auditReturned(from: from, audit: id))
            let judgement = Judgement(agreement: agreement, from: from)
            if let rewards = desk.rewards(of: audit.group) {
                conclude(id, judgement, .rewards(rewards))
            } else {
                judgements[id] = judgement
                scoring.begin(
                    ScoringDesk.Job(
                        subject: .audit(id), slot: agreement.slot, completions: agreement.completions))
            }
        }
    }

    /// Compares one more replay of a group with those that others handed in.
    private func compareReplays(_ agreement: AuditDesk.Agreement) {
        do {
            let comparison = try desk.readings.compare(
                agreement.report, by: agreement.verifier, of: agreement.group)
            guard !comparison.unequal.isEmpty else { return }
            step(
                .replaysCompared(
                    group: agreement.group, by: agreement.verifier, equal: comparison.equal,
                    unequal: comparison.unequal))
        } catch {
            log.warning("replays not compared", metadata: ["reason": "\(error)"])
        }
    }

    /// Takes in what the scorers made of a group.
    func takeScore(_ subject: ScoringDesk.Subject, _ result: ScoringDesk.Result) {
        switch subject {
        case .audit(let audit):
            guard let judgement = judgements.removeValue(forKey: audit) else { return }
            conclude(audit, judgement, result)
        case .unaudited(let group): take(result, ofUnaudited: group)
        }
    }

    /// Has a group scored that is not audited.
    func score(_ group: Hash256) {
        do {
            guard let slot = run.state.groups[group]?.slot,
                let completions = try desk.completions(of: group, slot: slot)
            else { throw RoleFailure(.fault, "the payload of group \(group.hex.prefix(12)) is gone") }
            scoring.begin(ScoringDesk.Job(subject: .unaudited(group), slot: slot, completions: completions))
        } catch {
            take(.fault("\(error)"), ofUnaudited: group)
        }
    }

    private func take(_ result: ScoringDesk.Result, ofUnaudited group: Hash256) {
        switch result {
        case .fault(let reason):
            log.warning("group not scored", metadata: ["reason": "\(reason)"])
            step(.groupScored(group: group, rewards: nil))
        case .rewards(let rewards):
            desk.keep(rewards, of: group)
            let before = turn.facts.count
            step(.groupScored(group: group, rewards: rewards))
            let isTaken = turn.facts[before...].contains { fact in
                if case .groupScored(group, _, _) = fact { true } else { false }
            }
            if isTaken { turn.scores.append(RunDatabase.StoredScore(hash: group, rewards: rewards)) }
        }
    }

    private func conclude(_ audit: UInt64, _ judgement: Judgement, _ result: ScoringDesk.Result) {
        let agreement = judgement.agreement
        switch result {
        case .fault(let reason):
            log.warning("group not scored", metadata: ["reason": "\(reason)"])
            step(.auditJudged(audit: audit, verdict: .inconclusive(reason: reason), answering: judgement.from))
        case .rewards(let rewards):
            desk.keep(rewards, of: agreement.group)
            let before = turn.facts.count
            step(.auditJudged(audit: audit, verdict: agreement.acceptance(rewards), answering: judgement.from))
            // A verdict that came too late is not kept: the training input belongs to the acceptance that was journaled.
            let isAccepted = turn.facts[before...].contains { fact in
                if case .groupAccepted(agreement.group, _, _, _, _, _) = fact { true } else { false }
            }
            guard isAccepted else { return }
            turn.replays.append(agreement.replay(rewards))
            if let statistics = agreement.foreign {
                note(statistics, of: agreement.group, by: agreement.verifier)
            }
        }
    }

    /// Adds up what a verifier says of a foreign engine's groups, and refuses the worker where two say too much.
    private func note(_ statistics: AuditStatistics, of group: Hash256, by verifier: PublicKey) {
        chronicle.note(foreign: statistics)
        guard let worker = run.state.groups[group]?.worker else { return }
        let tally = margins.add(statistics.margins, of: worker, by: verifier)
        turn.margins.append(RunDatabase.StoredMargins(worker: worker, verifier: verifier, tally: tally))
        if let finding = margins.finding(against: worker, verifiers: verifiersInGoodStanding) {
            step(.workerRefused(worker, finding))
        }
    }

    /// Those that ever held an audit or are here to be given one, without the banned.
    private var verifiersInGoodStanding: Set<PublicKey> {
        let connected = run.members.filter { $0.role == .verifier }.map(\.key)
        return Set(run.state.verifiers.keys).union(connected).filter { run.state.verifiers[$0]?.ban == nil }
    }
}
