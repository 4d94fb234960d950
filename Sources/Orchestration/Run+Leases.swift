import Identity

extension Run {
    /// Notes that a worker is ready for so many more groups.
    mutating func requestLeases(_ from: Correspondent, _ groups: Int, _ now: Instant) {
        guard let key = sender(from, .worker, now) else { return }
        guard noteRequest(key, from, groups) else {
            // It asks again what was answered: the answer was lost.
            resendLeases(key, answering: from, now)
            return
        }
        if groups > 0, !presence.waitingWorkers.contains(key) { presence.waitingWorkers.append(key) }
    }

    /// Takes in a long poll; false where this one was answered before.
    mutating func noteRequest(_ key: PublicKey, _ from: Correspondent, _ groups: Int) -> Bool {
        guard let member = presence.members[key] else { return false }
        if from.message <= member.newestRequest {
            return member.request?.from.message == from.message
        }
        presence.members[key]?.newestRequest = from.message
        presence.members[key]?.request = groups > 0 ? (from, groups) : nil
        if groups <= 0 { cancelRequests(key) }
        return true
    }

    /// Sends a worker the leases that it holds, since it may not know of them.
    mutating func resendLeases(_ key: PublicKey, answering: Correspondent? = nil, _ now: Instant) {
        guard let connection = presence.members[key]?.connection else { return }
        let ids = (state.workers[key]?.liveLeases ?? []).sorted()
        for id in ids { renewLease(id, now) }
        let held = ids.compactMap { lease($0) }
        if !held.isEmpty || answering != nil {
            outbox.append(.sendLeases(to: answering ?? Correspondent(connection), held))
        }
    }

    /// A live lease as the worker sees it.
    private func lease(_ id: UInt64) -> Lease? {
        guard let record = state.leases[id], let version = state.versions[record.version] else { return nil }
        return Lease(
            id: id, slot: record.slot, groupID: configuration.groupID(slot: record.slot), attempt: record.attempt,
            version: version, milliseconds: presence.leaseClocks[id]?.duration ?? configuration.timing.lease)
    }

    /// Progress renews leases, within their limit.
    mutating func renewLeases(_ connection: ConnectionID, _ leases: [UInt64], _ now: Instant) {
        guard let key = member(on: connection, now) else {
            refuse(Correspondent(connection), Self.helloRequired)
            return
        }
        for id in leases where state.leases[id]?.worker == key {
            renewLease(id, now)
        }
    }

    private mutating func renewLease(_ id: UInt64, _ now: Instant) {
        guard let clock = presence.leaseClocks[id] else { return }
        presence.leaseClocks[id]?.deadline = min(clock.limit, now.advanced(by: clock.duration))
    }

    /// The worker gives leases back.
    mutating func returnLeases(_ from: Correspondent, _ leases: [UInt64], _ now: Instant) {
        guard let key = sender(from, .worker, now) else { return }
        let held = leases.filter { state.leases[$0]?.worker == key && state.leases[$0]?.phase == .live }
        for id in held { endLease(id, .returned) }
        if !held.isEmpty { noteReturn(key, now) }
        outbox.append(.acknowledge(to: from))
    }

    /// Keeps leases from a key that takes some and gives them back again and again; twice as long every time.
    ///
    /// Each of them is journaled, and costs its worker nothing. Once is free: machines are switched off. Groups handed in
    /// end the count, and so does time.
    mutating func noteReturn(_ key: PublicKey, _ now: Instant) {
        let base = configuration.timing.returned
        guard base > 0 else { return }
        var returns = presence.returns[key] ?? Presence.Returns(last: now)
        returns.rounds += 1
        returns.last = now
        presence.returns[key] = returns
        guard returns.rounds > 1 else { return }
        let end = now.advanced(by: base << UInt64(min(returns.rounds - 2, 6)))
        presence.delays[key] = max(end, presence.delays[key] ?? end)
        expect(end)
    }

    /// Ends a live lease and tells its worker.
    mutating func endLease(_ id: UInt64, _ reason: LeaseEnd) {
        guard let record = state.leases[id], record.phase == .live else { return }
        commit(.leaseEnded(lease: id, reason: reason))
        presence.leaseClocks[id] = nil
        if state.workers[record.worker]?.liveLeases.isEmpty ?? true {
            presence.members[record.worker]?.pace.becameIdle()
        }
        if reason != .returned, let connection = presence.members[record.worker]?.connection {
            outbox.append(.cancelLease(to: connection, lease: id, reason: reason))
        }
        report(.leaseEnded(lease: id, worker: record.worker, reason: reason))
    }

    /// Cancels the leases that no batch to come could take.
    mutating func cancelStaleLeases() {
        for id in state.liveLeases.sorted() {
            guard let record = state.leases[id], let version = state.versions[record.version] else { continue }
            if !isFresh(version, forBatch: state.cutStep + 1) { endLease(id, .stale) }
        }
    }

    /// Answers standing requests as far as there is room.
    mutating func grantLeases(_ now: Instant) {
        presence.sharesEnd = nil
        let isOpen = presence.drain == nil && !presence.waitingWorkers.isEmpty
        let room = isOpen ? leaseRoom : 0
        guard let version = state.newest, room > 0 else {
            presence.roomSince = nil
            return
        }
        let since = presence.roomSince ?? now
        presence.roomSince = since
        let keepsShares = now.elapsed(since: since) < configuration.timing.fairShare
        for (key, count) in leaseShares(room: room, keepsShares: keepsShares, now) {
            grant(count, to: key, version, now)
        }
        if leaseRoom == 0 || presence.waitingWorkers.isEmpty {
            presence.roomSince = nil
        } else if keepsShares {
            presence.sharesEnd = since.advanced(by: configuration.timing.fairShare)
        }
    }

    private mutating func grant(_ count: Int, to key: PublicKey, _ version: PolicyVersion, _ now: Instant) {
        guard let request = presence.members[key]?.request else { return }
        cancelRequests(key)
        let duration = leaseDuration(key, additional: count)
        // What judges a group is settled before it is made.
        let engine = presence.members[key]?.engine ?? ""
        var granted: [Lease] = []
        for _ in 0..<count {
            let slot = state.waitingSlots.first ?? state.nextSlot
            let id = state.nextLease
            let attempt = state.slots[slot]?.attempts ?? 0
            commit(
                .leaseGranted(
                    lease: id, slot: slot, attempt: attempt, worker: key, version: version.number,
                    engine: engine.isEmpty ? nil : engine))
            startClock(id, duration: duration, now)
            if let lease = lease(id) { granted.append(lease) }
        }
        presence.members[key]?.pace.becameBusy(at: now)
        outbox.append(.sendLeases(to: request.from, granted))
    }

    /// How long leases last that are granted to a worker now.
    private func leaseDuration(_ key: PublicKey, additional: Int) -> UInt64 {
        let timing = configuration.timing
        guard let pace = presence.members[key]?.pace.groupsPerMillisecond else { return timing.lease }
        let held = state.workers[key]?.liveLeases.count ?? 0
        let predicted = Double(held + additional) / pace * Double(timing.leaseFactor)
        return max(timing.lease, UInt64(min(predicted, 86_400_000)))
    }
}
