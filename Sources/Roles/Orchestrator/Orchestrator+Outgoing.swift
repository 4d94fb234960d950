import Identity
import Messages
import Orchestration

/// What the machine decided, as messages; everything here is already on the disk.
extension Orchestrator {
    func carryOut(_ action: Action) {
        do {
            try carryOutThrowing(action)
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
        case .sendLeases(let to, let leases): send(try messages.leases(leases), to: to)
        case .cancelLease(let to, let lease, let reason):
            send(messages.cancellation(lease: lease, reason: reason), to: Correspondent(to))
        case .sendReceipt(let to, let receipt): send(messages.receipt(receipt), to: to)
        case .sendAudits(let to, let audits): try sendAudits(audits, to: to)
        case .sendBatch(let to, let step, let groups): try sendBatch(step, groups, to: to)
        case .announceVersion(let to, let version, let oldest):
            let body = messages.announcement(version, oldestUseful: oldest)
            for connection in to { send(body, to: Correspondent(connection)) }
        case .sendStanding(let to, let standing):
            send(messages.standing(standing, balance: try balance(of: standing.worker)), to: Correspondent(to))
        case .sendDrain(let to, let reason, let finished):
            send(messages.drain(reason, runFinished: finished), to: Correspondent(to))
        case .report(let notice): chronicle.note(notice)
        case .stop(let reason): stop(reason)
        }
    }

    private func sendAudits(_ audits: [Audit], to: Correspondent) throws {
        var message = Wire.AuditAssignment()
        message.audits = try audits.map { try desk.assignment($0) }
        send(.auditAssignment(message), to: to)
    }

    private func sendBatch(_ step: UInt64, _ groups: [Hash256], to: Correspondent) throws {
        let batch = try desk.batch(step, groups)
        chronicle.note(batch: batch, desk: desk)
        send(.batch(batch), to: to)
    }

    private func balance(on connection: ConnectionID) throws -> Int64 {
        guard let key = connections[connection]?.identity else { return 0 }
        return try balance(of: key)
    }

    private func balance(of worker: PublicKey) throws -> Int64 {
        try database.balance(of: worker)
    }
}
