import Identity

extension Run {
    /// Starts the clocks of work that was in flight before this process began.
    mutating func armClocks(_ now: Instant) {
        guard !presence.isArmed else { return }
        presence.isArmed = true
        for lease in state.liveLeases.sorted() {
            startClock(lease, duration: configuration.timing.lease, now)
            if let worker = state.leases[lease]?.worker { expectBack(worker, .worker, now) }
        }
        for (audit, record) in state.audits.sorted(by: { $0.key < $1.key }) {
            presence.auditDeadlines[audit] = now.advanced(by: configuration.timing.audit)
            expectBack(record.verifier, .verifier, now)
        }
        for (group, record) in state.groups where record.dispute != nil || record.check != nil {
            seekVerifier(for: group, now)
        }
        for group in state.scoringGroups.sorted() { outbox.append(.scoreGroup(group)) }
        for key in state.unvestedWorkers { reviewAccount(key) }
        expect(now.advanced(by: min(configuration.timing.reconnect, configuration.timing.lease)))
    }

    /// Treats a member from before the start as gone a moment ago.
    private mutating func expectBack(_ key: PublicKey, _ role: Role, _ now: Instant) {
        guard presence.members[key] == nil else { return }
        presence.members[key] = MemberPresence(
            key: key, role: role, name: "", order: presence.nextOrder, connection: nil, lastSeen: now)
        presence.nextOrder += 1
    }

    mutating func startClock(_ lease: UInt64, duration: UInt64, _ now: Instant) {
        let deadline = now.advanced(by: duration)
        let renewals = duration.multipliedReportingOverflow(by: max(1, configuration.timing.leaseRenewals))
        presence.leaseClocks[lease] = Presence.LeaseClock(
            duration: duration, deadline: deadline,
            limit: now.advanced(by: renewals.overflow ? .max : renewals.partialValue))
        expect(deadline)
    }

    /// Carries out every deadline that has passed, then finds the next one.
    mutating func sweepDeadlines(_ now: Instant) {
        let timing = configuration.timing
        for member in presence.members.values.sorted(by: { $0.order < $1.order }) {
            let silence = now.elapsed(since: member.lastSeen)
            if member.connection != nil, silence >= timing.heartbeat {
                detach(member.key, now, reason: "silent for \(silence) ms")
            } else if member.connection == nil, silence >= timing.reconnect {
                forget(member.key, .absent)
            }
        }
        expireLeases(now)
        for (audit, deadline) in presence.auditDeadlines.sorted(by: { $0.key < $1.key }) where deadline <= now {
            loseAudit(audit, "timeout")
            presence.auditDeadlines[audit] = nil
        }
        presence.delays = presence.delays.filter { $0.value > now }
        presence.searches = presence.searches.filter { group, _ in
            guard let record = state.groups[group] else { return false }
            return record.check != nil || record.phase == .queued || !record.isCounted && record.phase != .setAside
        }
        presence.returns = presence.returns.filter { now.elapsed(since: $0.value.last) < timing.forgiven }
        findEarliestDeadline(now)
    }

    /// Keeps leases from a key whose group an audit rejected; twice as long every time.
    mutating func delay(_ key: PublicKey, _ now: Instant) {
        let base = configuration.timing.rejection
        guard base > 0, let worker = state.workers[key] else { return }
        let end = now.advanced(by: base << UInt64(min(max(1, worker.rejected) - 1, 6)))
        presence.delays[key] = max(end, presence.delays[key] ?? end)
        expect(end)
    }

    /// Ends leases whose time is over; whoever held them gets no other for a while, twice as long every time.
    ///
    /// This counts nothing against anyone; it keeps the idle from holding up batch after batch.
    private mutating func expireLeases(_ now: Instant) {
        var stalled: Set<PublicKey> = []
        for (lease, clock) in presence.leaseClocks.sorted(by: { $0.key < $1.key }) where clock.deadline <= now {
            if let worker = state.leases[lease]?.worker { stalled.insert(worker) }
            endLease(lease, .expired)
            presence.leaseClocks[lease] = nil
        }
        for worker in stalled {
            guard let stalls = presence.members[worker]?.stalls else { continue }
            let pause = configuration.timing.lease << UInt64(min(stalls, 7))
            presence.members[worker]?.stalls += 1
            presence.members[worker]?.stalledUntil = now.advanced(by: pause)
        }
    }

    private mutating func findEarliestDeadline(_ now: Instant) {
        let timing = configuration.timing
        presence.earliestDeadline = nil
        for member in presence.members.values {
            expect(member.lastSeen.advanced(by: member.connection == nil ? timing.reconnect : timing.heartbeat))
            if let pause = member.stalledUntil, pause > now { expect(pause) }
        }
        for clock in presence.leaseClocks.values { expect(clock.deadline) }
        for deadline in presence.auditDeadlines.values { expect(deadline) }
        for end in presence.delays.values { expect(end) }
        for patience in presence.disputes.values {
            expect(min(patience.since.advanced(by: timing.reconnect), patience.end))
        }
    }
}
