import Identity

extension Run {
    /// Admits a member or says why not; the newest connection of a key is the one that counts.
    mutating func greet(_ hello: Hello, _ from: Correspondent, _ now: Instant) {
        if hello.role == .worker { makeRoom(for: hello.key) }
        if let refusal = objection(to: hello, from) {
            refuse(from, refusal)
            report(.refused(key: hello.key, code: refusal.code, reason: refusal.reason))
            return
        }
        let known = presence.members[hello.key]?.instance ?? 0
        let isSameProcess = known != 0 && known == hello.instance
        if known != 0, hello.instance != 0, !isSameProcess { bury(hello.key, now) }
        let isRepeated = presence.keys[from.connection] == hello.key
        if hello.role == .worker { useInvitation(hello) }
        if !isRepeated { connect(hello, from, now) }
        outbox.append(
            .welcome(
                to: from,
                Welcome(
                    role: hello.role, current: state.newest, streak: state.workers[hello.key]?.streak ?? 0,
                    epoch: drawEpoch)))
        guard !isRepeated else { return }
        report(.memberJoined(key: hello.key, role: hello.role, name: hello.name))
        switch hello.role {
        case .worker: resendLeases(hello.key, now)
        case .verifier: resendAudits(hello.key)
        // Who was only disconnected goes on where it was, ahead of its newest checkpoint.
        case .trainer where isSameProcess: break
        case .trainer: resumeTrainer(hello.resumeStep)
        }
        if presence.drain != nil || presence.finishedSince != nil { tellDrain(hello.key) }
    }

    /// Forgets keys that took a lease and came to nothing, where the run can remember no further one.
    ///
    /// In order of their keys, so that the same events make the same facts; some at a time, so that a fact stays short.
    private mutating func makeRoom(for key: PublicKey) {
        let limit = configuration.limits.rememberedWorkers
        guard state.workers.count >= limit, state.workers[key] == nil else { return }
        let needless = state.workers
            .filter { $0.value.isEmpty && presence.members[$0.key]?.connection == nil }
            .keys.sorted { $0.rawBytes.lexicographicallyPrecedes($1.rawBytes) }
        if !needless.isEmpty { commit(.workersForgotten(workers: Array(needless.prefix(max(1, limit / 10))))) }
    }

    private func objection(to hello: Hello, _ from: Correspondent) -> Refusal? {
        if let newer = presence.members[hello.key]?.connection, newer > from.connection {
            return Self.superseded
        }
        if let present = presence.members[hello.key], present.role != hello.role, present.connection != nil {
            return Refusal(
                "key-in-use", "This key is connected as a \(present.role.rawValue).",
                advice: "Use another key for every role.")
        }
        if !presence.keys.values.contains(hello.key), presence.keys.count >= configuration.limits.connections {
            return Refusal("run-full", "The run has as many members as it takes.", advice: "Try again later.")
        }
        switch hello.role {
        case .worker:
            if let ban = state.workers[hello.key]?.ban { return Self.banned(ban) }
            let isNew = state.workers[hello.key] == nil
            if isNew, state.workers.count >= configuration.limits.rememberedWorkers {
                return Refusal("run-full", "The run remembers as many workers as it can.", final: true)
            }
            return objection(to: hello, configuration.workers)
        case .verifier:
            if let ban = state.verifiers[hello.key]?.ban { return Self.banned(ban) }
            return objection(to: hello, configuration.verifiers)
        case .trainer:
            return trainerObjection(hello)
        }
    }

    static let superseded = Refusal(
        "superseded", "The same key has said hello on a newer connection.",
        advice: "Give every process a key of its own.", final: true)

    static func banned(_ finding: Finding) -> Refusal {
        Refusal("banned", "This key is banned (\(finding.check): \(finding.reason)).", final: true)
    }

    private func objection(to hello: Hello, _ admission: Admission) -> Refusal? {
        switch admission {
        case .open: return nil
        case .list(let keys):
            guard !keys.contains(hello.key) else { return nil }
            return Refusal(
                "not-listed", "The run admits listed keys only, and this one is not listed.",
                advice: "Ask the run's operator to add the key.", final: true)
        case .invitation(let invitations):
            // Who was admitted once needs no invitation again.
            if hello.role == .worker, state.invitations.values.contains(hello.key) { return nil }
            guard let shown = hello.invitation, invitations.contains(shown) else {
                return Refusal(
                    "no-invitation", "The run admits invited members only.",
                    advice: "Join with the invite=TOKEN that the operator gave you.", final: true)
            }
            guard let user = state.invitations[shown], user != hello.key else { return nil }
            return Refusal(
                "invitation-used", "Another key has used this invitation.",
                advice: "Ask the run's operator for a new one.", final: true)
        }
    }

    private mutating func useInvitation(_ hello: Hello) {
        guard case .invitation = configuration.workers, let shown = hello.invitation,
            state.invitations[shown] == nil, !state.invitations.values.contains(hello.key)
        else { return }
        let stake = configuration.invitedStake
        commit(.invitationUsed(invitation: shown, worker: hello.key, stake: stake))
        if stake > 0 {
            outbox.append(.settle(.staked(worker: hello.key, invitation: shown, amount: stake)))
        }
    }

    /// The process behind a key died and another one took its place: what the earlier one held is lost, so it is free
    /// at once.
    ///
    /// A mere reconnection of the same process keeps everything.
    private mutating func bury(_ key: PublicKey, _ now: Instant) {
        detach(key, now, reason: "its process was replaced")
        var member = presence.members[key]
        forget(key, .absent)
        // The machine is the same, and so is its speed.
        member?.pace.becameIdle()
        presence.members[key] = member
        presence.departures[key] = nil
    }

    private mutating func connect(_ hello: Hello, _ from: Correspondent, _ now: Instant) {
        // One connection speaks for one key, and one key over one connection.
        if let other = presence.keys[from.connection], other != hello.key { detach(other, now) }
        let before = presence.members[hello.key]
        if let old = before?.connection, old != from.connection {
            presence.keys[old] = nil
            refuse(Correspondent(old), Self.superseded)
            outbox.append(.close(old))
        }
        cancelRequests(hello.key)
        var member = MemberPresence(
            key: hello.key, role: hello.role, name: hello.name, order: before?.order ?? presence.nextOrder,
            instance: hello.instance, engine: hello.engine, connection: from.connection, lastSeen: now)
        if before == nil { presence.nextOrder += 1 }
        if let before {
            member.pace = before.pace
            member.stalls = before.stalls
            member.stalledUntil = before.stalledUntil
        }
        presence.members[hello.key] = member
        presence.departures[hello.key] = nil
        presence.keys[from.connection] = hello.key
        if hello.role == .trainer { presence.trainer = hello.key }
        expect(now.advanced(by: configuration.timing.heartbeat))
    }

    /// Finds who speaks on a connection and notes the sign of life; nil where nobody said hello.
    mutating func member(on connection: ConnectionID, _ now: Instant) -> PublicKey? {
        guard let key = presence.keys[connection] else { return nil }
        presence.members[key]?.lastSeen = now
        return key
    }

    /// A sign of life; on a connection without a hello the member must learn that it is not known any more.
    mutating func noteHeartbeat(_ connection: ConnectionID, _ now: Instant) {
        if member(on: connection, now) == nil { refuse(Correspondent(connection), Self.helloRequired) }
    }

    static let helloRequired = Refusal(
        "hello-required", "This connection has not said hello.", advice: "Say hello first.")

    /// Finds who sent a message; refuses it where nobody said hello or the role does not fit.
    mutating func sender(_ from: Correspondent, _ role: Role, _ now: Instant) -> PublicKey? {
        guard let key = member(on: from.connection, now) else {
            refuse(from, Self.helloRequired)
            return nil
        }
        guard presence.members[key]?.role == role else {
            refuse(from, Refusal("wrong-role", "Only a \(role.rawValue) sends this message.", final: true))
            return nil
        }
        return key
    }

    mutating func disconnect(_ connection: ConnectionID, _ now: Instant) {
        guard let key = presence.keys[connection] else { return }
        detach(key, now)
    }

    /// The member is gone, perhaps to come back; its work waits for a while.
    mutating func detach(_ key: PublicKey, _ now: Instant, reason: String = "disconnected") {
        guard let member = presence.members[key], let connection = member.connection else { return }
        presence.keys[connection] = nil
        cancelRequests(key)
        if presence.trainer == key { presence.trainer = nil }
        presence.members[key]?.connection = nil
        presence.members[key]?.lastSeen = now
        expect(now.advanced(by: configuration.timing.reconnect))
        report(.memberLeft(key: key, role: member.role, reason: reason))
    }

    /// The member said goodbye: what it holds is free at once.
    mutating func dismiss(_ connection: ConnectionID, _ now: Instant) {
        guard let key = presence.keys[connection] else { return }
        detach(key, now, reason: "goodbye")
        forget(key, .returned)
    }

    /// Takes everything from a member that is gone and forgets that it was here.
    mutating func forget(_ key: PublicKey, _ reason: LeaseEnd) {
        guard let member = presence.members.removeValue(forKey: key) else { return }
        switch member.role {
        case .worker:
            reviewAccount(key)
            let leases = (state.workers[key]?.liveLeases ?? []).sorted()
            for lease in leases { endLease(lease, reason) }
            if !leases.isEmpty { noteReturn(key, presence.now) }
        case .verifier:
            // A replay that it has returned does not go with it.
            for audit in (state.verifiers[key]?.liveAudits ?? []).sorted()
            where presence.auditDeadlines[audit] != .never { loseAudit(audit, "verifier \(reason)") }
        case .trainer: break
        }
    }

    /// Drops the standing requests of a member.
    mutating func cancelRequests(_ key: PublicKey) {
        presence.members[key]?.request = nil
        presence.waitingWorkers.removeAll { $0 == key }
        presence.waitingVerifiers.removeAll { $0 == key }
        if presence.trainer == key { presence.batchRequest = nil }
    }

    /// Connected members in the order of joining.
    func connectedMembers(_ role: Role? = nil) -> [MemberPresence] {
        presence.members.values
            .filter { $0.connection != nil && (role == nil || $0.role == role) }
            .sorted { $0.order < $1.order }
    }

    /// Gives every worker in flight its standing, once per step.
    mutating func reportStandings() {
        let due = presence.standings
        presence.standings = []
        for (key, reasons) in due {
            guard let connection = presence.members[key]?.connection, let worker = state.workers[key] else { continue }
            outbox.append(
                .sendStanding(
                    to: connection,
                    Standing(
                        worker: key, accepted: worker.accepted, rejected: worker.rejected, streak: worker.streak,
                        provisional: worker.unvested.count, unvested: worker.unvestedCredit,
                        probability: auditProbability(of: worker, engine: presence.members[key]?.engine ?? ""),
                        banned: worker.ban != nil, reasons: reasons)))
        }
    }

    /// Notes that a worker is to be told how it stands at the end of this step.
    mutating func noteStanding(_ key: PublicKey, reason: String? = nil) {
        if let index = presence.standings.firstIndex(where: { $0.worker == key }) {
            if let reason { presence.standings[index].reasons.append(reason) }
        } else {
            presence.standings.append((key, reason.map { [$0] } ?? []))
        }
    }
}
