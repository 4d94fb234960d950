import Identity
import Messages
import Orchestration

/// What the machine decided, as messages; everything here is already on the disk.
extension Orchestrator {
    /// Does what the machine decided.
    ///
    /// - Throws: A ``RoleFailure`` where a prompt cannot be used: every later lease of its slot would fail the same way.
    func carryOut(_ action: Action) throws {
        do {
            try carryOutThrowing(action)
        } catch let failure as PromptFailure {
            throw RoleFailure(
                .badInput, "A prompt of the run cannot be used: \(failure)",
                advice: "Correct it, or set environment.long_prompts = \"skip\" if it is too long; then --resume.")
        } catch {
            // The action's fact stands; the peer asks again after its deadline.
            log.error("action failed", metadata: ["reason": "\(error)"])
        }
    }

    private func carryOutThrowing(_ action: Action) throws {
        switch action {
        case .journal, .settle, .forgetGroups: break  // written before, in the turn
        case .welcome(let to, let welcome):
            send(messages.welcome(welcome, balance: try balance(on: to.connection)), to: to)
        case .refuse(let to, let refusal): send(messages.refusal(refusal), to: to)
        case .acknowledge(let to): send(.acknowledgement(Wire.Acknowledgement()), to: to)
        case .close(let connection): connections.forget(connection)
        case .sendLeases(let to, let leases): try sendLeases(leases, to: to)
        case .cancelLease(let to, let lease, let reason):
            send(messages.cancellation(lease: lease, reason: reason), to: Correspondent(to))
        case .sendReceipt(let to, let receipt): send(messages.receipt(receipt), to: to)
        case .sendAudits(let to, let audits): try sendAudits(audits, to: to)
        case .scoreGroup(let group): score(group)
        case .sendBatch(let to, let step, let groups): try sendBatch(step, groups, to: to)
        case .announceVersion(let to, let version, let oldest):
            let body = messages.announcement(version, oldestUseful: oldest)
            for connection in to { send(body, to: Correspondent(connection)) }
        case .announceEpoch(let to, let epoch):
            for connection in to { send(messages.epoch(epoch), to: Correspondent(connection)) }
        case .sendStanding(let to, let standing):
            send(messages.standing(standing, balance: try balance(of: standing.worker)), to: Correspondent(to))
        case .sendDrain(let to, let reason, let finished):
            send(messages.drain(reason, runFinished: finished), to: Correspondent(to))
        case .report(let notice): chronicle.note(notice)
        case .stop(let reason): stop(reason)
        }
    }

    /// Leases in as many messages as their prompts need.
    private func sendLeases(_ leases: [Lease], to: Correspondent) throws {
        let items = try leases.map { try messages.lease($0) }
        for part in Self.messages(items, bytes: { 5 * $0.promptTokens.count }) {
            var message = Wire.Leases()
            message.leases = part
            send(.leases(message), to: to)
        }
    }

    /// Audits in as many messages as their tokens need.
    private func sendAudits(_ audits: [Audit], to: Correspondent) throws {
        var items: [Wire.Audit] = []
        for audit in audits {
            do {
                items.append(try desk.assignment(audit))
            } catch {
                // Taken out of the run later in the turn: that one is lost at once, and the others are sent.
                step(
                    .auditJudged(
                        audit: audit.id, verdict: .inconclusive(reason: "\(error)"),
                        answering: Correspondent(ConnectionID(0))))
            }
        }
        let bytes = { (audit: Wire.Audit) in
            5 * audit.completions.reduce(audit.promptTokens.count) { $0 + $1.tokens.count }
        }
        for part in Self.messages(items, bytes: bytes) {
            var message = Wire.AuditAssignment()
            message.audits = part
            send(.auditAssignment(message), to: to)
        }
    }

    /// Cuts a list so that each piece makes a message of a few megabytes; an empty list is one empty message, since it
    /// is an answer too.
    private static func messages<Item>(_ items: [Item], bytes: (Item) -> Int) -> [[Item]] {
        var pieces: [[Item]] = [[]]
        var size = 0
        for item in items {
            let next = bytes(item) + 1024
            if !pieces[pieces.count - 1].isEmpty, size + next > BatchDesk.partBytes {
                pieces.append([])
                size = 0
            }
            pieces[pieces.count - 1].append(item)
            size += next
        }
        return pieces
    }

    private func sendBatch(_ step: UInt64, _ groups: [Hash256], to: Correspondent) throws {
        let outline = try outline(ofBatch: step, groups)
        chronicle.note(batch: outline)
        try sendPart(0, of: outline, groups, to: to)
    }

    /// Answers a trainer that has the first part of a batch and wants another one.
    func sendPart(_ part: Int, ofBatch step: UInt64, to: Correspondent) throws {
        guard let groups = run.state.batches[step] else {
            let reason = "There is no batch \(step) to take a part of."
            send(.refusal(refusal("batch-unknown", reason)), to: to)
            return
        }
        try sendPart(part, of: try outline(ofBatch: step, groups), groups, to: to)
    }

    private func sendPart(_ part: Int, of outline: BatchDesk.Outline, _ groups: [Hash256], to: Correspondent) throws {
        let found = try batches.part(
            part, of: outline, groups, step: { run.state.versions[$0]?.step }, isPromised: { run.isPromised($0) },
            isContested: { run.state.contestedGroups.contains($0) })
        guard var batch = found else {
            let reason = "Batch \(outline.step) has \(outline.parts.count) parts, and no part \(part)."
            send(.refusal(refusal("batch-unknown", reason)), to: to)
            return
        }
        batch.versionsInUse = run.versionsInUse.sorted().suffix(Limits.standard.items)
        chronicle.note(part: batch)
        send(.batch(batch), to: to)
    }

    /// What a batch is as a whole.
    func outline(ofBatch step: UInt64, _ groups: [Hash256]) throws -> BatchDesk.Outline {
        let tokens = groups.reduce(UInt64(0)) { $0 + (run.state.groups[$1]?.tokens ?? 0) }
        return try batches.outline(step, groups, tokens: tokens)
    }

    private func balance(on connection: ConnectionID) throws -> Int64 {
        guard let key = connections[connection]?.identity else { return 0 }
        return try balance(of: key)
    }

    private func balance(of worker: PublicKey) throws -> Int64 {
        try database.balance(of: worker)
    }
}
