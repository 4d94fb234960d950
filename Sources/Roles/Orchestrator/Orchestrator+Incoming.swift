import Identity
import Messages
import Orchestration

/// What members say, as events.
extension Orchestrator {
    func take(_ body: Wire.ClientBody, attachments: [[UInt8]], from: Correspondent) {
        let connection = from.connection
        switch body {
        case .hello: break
        case .heartbeat(let beat):
            if run.key(on: connection) != nil {
                chronicle.note(adoptions: beat.adoptions)
                send(.acknowledgement(Wire.Acknowledgement()), to: from)
            }
            step(.heartbeat(from: connection))
        case .goodbye: step(.goodbye(from: connection))

        case .leaseRequest(let request):
            if run.key(on: connection) != nil {
                chronicle.note(version: request.newestVersion, heldBy: connections[connection]?.name ?? "")
            }
            step(.leasesRequested(from: from, groups: Int(request.groups)))
        case .leaseProgress(let progress):
            if run.key(on: connection) != nil {
                chronicle.note(adoptions: progress.adoptions)
                send(.acknowledgement(Wire.Acknowledgement()), to: from)
            }
            step(.leaseProgress(from: connection, leases: progress.leaseIds))
        case .leaseReturn(let returned): step(.leasesReturned(from: from, leases: returned.leaseIds))
        case .groupSubmission(let submission): takeGroup(submission, payload: attachments.first ?? [], from: from)

        case .auditRequest(let request): step(.auditsRequested(from: from, groups: Int(request.groups)))
        case .auditReport(let report): takeReport(report, from: from)
        case .auditFault(let fault): step(.auditsFaulted(from: from, audits: fault.auditIds, reason: fault.reason))

        case .batchRequest(let request) where request.part > 0: takePartRequest(request, from: from)
        case .batchRequest(let request): step(.batchRequested(from: from, step: request.step))
        case .batchDone(let done):
            // Only an admitted trainer's numbers, for a batch that there is, become a row.
            if let key = run.key(on: connection), run.configuration.trainers.contains(key),
                done.step <= run.state.cutStep
            {
                recallBatch(done.step)
                chronicle.note(trainerMetrics: done.metrics.map { ($0.name, $0.value) }, step: done.step)
            }
            let doubted = done.doubtedGroups.compactMap { Hash256([UInt8]($0)) }
            if !doubted.isEmpty { step(.groupsDoubted(from: from, groups: doubted)) }
            let unavailable = done.unavailableGroups.compactMap { item in
                Hash256([UInt8](item.groupHash)).map { ($0, item.reason) }
            }
            if !unavailable.isEmpty { step(.groupsUnavailable(from: from, groups: unavailable)) }
            step(.batchDone(from: from, step: done.step))
        case .versionPublished(let published):
            guard let version = PolicyVersion(published.version) else {
                send(.refusal(refusal("malformed", "The weights hash is not 32 bytes.")), to: from)
                return
            }
            step(.versionPublished(from: from, version: version))
        case .checkpointStable(let checkpoint): step(.checkpointStable(from: from, step: checkpoint.step))
        }
    }

    private func takeGroup(_ submission: Wire.GroupSubmission, payload: [UInt8], from: Correspondent) {
        guard let identity = connections[from.connection]?.identity else { return }
        let hash = SHA256.hash(payload)
        let lease = run.lease(submission.leaseID, on: from.connection)
        // A repeated or hopeless submission needs no checks: the machine answers it from what it knows.
        guard let lease, run.awaitsGroup(submission.leaseID, group: hash, on: from.connection) else {
            step(.groupSubmitted(Submission(lease: submission.leaseID, group: hash, tokens: 0), from: from))
            return
        }
        let signature = [UInt8](submission.signature)
        let received = desk.receive(
            payload, signature: signature, hash: hash, from: identity, leaseID: submission.leaseID, lease: lease)
        let before = turn.facts.count
        step(.groupSubmitted(received, from: from))
        // The payload is written with the fact that names it, or not at all.
        let isJournaled = turn.facts[before...].contains { fact in
            if case .groupReceived(hash, _, _, _, _, _) = fact { true } else { false }
        }
        if isJournaled {
            chronicle.note(generateSeconds: submission.seconds)
            turn.groups.append(RunDatabase.StoredGroup(hash: hash, payload: payload, signature: signature))
        } else {
            desk.forget([hash])
            let group = RunDatabase.StoredGroup(hash: hash, payload: payload, signature: signature)
            keepEvidence(ofBan: identity, in: turn.facts[before...], group, leaseID: submission.leaseID, lease: lease)
        }
    }

    /// A further part of a batch that exists: nothing is decided, so the machine is not asked.
    private func takePartRequest(_ request: Wire.BatchRequest, from: Correspondent) {
        guard let key = run.key(on: from.connection), run.configuration.trainers.contains(key) else {
            send(.refusal(refusal("wrong-role", "Only the trainer takes batches.", final: true)), to: from)
            return
        }
        step(.heartbeat(from: from.connection))
        do {
            try sendPart(Int(request.part), ofBatch: request.step, to: from)
        } catch {
            log.error("part of a batch not sent", metadata: ["reason": "\(error)"])
        }
    }

    /// Finds out again what the step's row says about a batch that was sent before this process began.
    private func recallBatch(_ step: UInt64) {
        guard chronicle.missesBatch(of: step), let groups = run.state.batches[step],
            let staleness = run.staleness(ofBatch: step)
        else { return }
        do {
            chronicle.recall(try outline(ofBatch: step, groups), staleness: staleness)
        } catch {
            log.warning("step \(step) gets an incomplete row", metadata: ["reason": "\(error)"])
        }
    }

    /// Writes the rows of steps that a checkpoint proves made, although their report died with the trainer: without the
    /// trainer's own numbers, but every step has its row.
    func completeRows(through step: UInt64) {
        for made in run.state.batches.keys.sorted() where made <= step && chronicle.awaitsRow(of: made) {
            recallBatch(made)
            chronicle.note(trainerMetrics: [], step: made)
        }
    }
}
