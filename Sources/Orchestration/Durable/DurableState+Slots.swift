import Identity

extension DurableState {
    mutating func applyPublished(_ version: PolicyVersion) throws(FactMismatch) {
        try require(newest.map { version.number > $0.number } ?? true, "version \(version.number) was published before")
        try require(version.step <= cutStep, "version \(version.number) is of a step without a batch")
        versions[version.number] = version
        newest = version
        forgetVersions()
    }

    /// Drops the oldest versions that nothing refers to.
    private mutating func forgetVersions() {
        guard versions.count > Self.rememberedVersions else { return }
        let used = Set(leases.values.map(\.version) + keptGroups.compactMap { groups[$0]?.version })
        for number in versions.keys.sorted().dropLast(Self.rememberedVersions) where !used.contains(number) {
            versions[number] = nil
        }
    }

    mutating func applyGranted(
        _ lease: UInt64, slot number: UInt64, attempt: UInt32, worker: PublicKey, version: UInt64, engine: String
    ) throws(FactMismatch) {
        try require(lease == nextLease, "lease \(lease) is not the next one")
        try require(versions[version] != nil, "no version \(version) is known")
        try require(workers[worker]?.ban == nil, "the worker is banned")
        if number == nextSlot {
            nextSlot += 1
            slots[number] = Slot(phase: .waiting, attempts: 0, leases: [])
        } else {
            try require(waitingSlots.first(where: { $0 == number }) != nil, "slot \(number) does not wait for a lease")
            waitingSlots.removeAll { $0 == number }
        }
        var slot = try found(slots[number], "slot \(number)")
        try require(slot.attempts == attempt, "slot \(number) is not at attempt \(attempt)")
        slot.phase = .leased(lease)
        slot.attempts += 1
        slot.leases.append(lease)
        if slot.leases.count > Slot.rememberedLeases {
            leases[slot.leases.removeFirst()] = nil
        }
        slots[number] = slot
        leases[lease] = LeaseRecord(
            slot: number, attempt: attempt, worker: worker, version: version, engine: engine, phase: .live)
        liveLeases.insert(lease)
        workers[worker, default: WorkerRecord()].liveLeases.insert(lease)
        nextLease += 1
    }

    /// Ends a lease for whatever reason and frees its slot if it had one.
    mutating func endLease(_ lease: UInt64, _ reason: LeaseEnd) {
        guard let record = leases[lease] else { return }
        leases[lease]?.phase = .ended(reason)
        liveLeases.remove(lease)
        workers[record.worker]?.liveLeases.remove(lease)
        if slots[record.slot]?.phase == .leased(lease) { freeSlot(record.slot) }
    }

    /// Lets a slot wait for a new lease.
    mutating func freeSlot(_ number: UInt64) {
        slots[number]?.phase = .waiting
        let index = waitingSlots.firstIndex { $0 >= number } ?? waitingSlots.endIndex
        if index == waitingSlots.endIndex || waitingSlots[index] != number {
            waitingSlots.insert(number, at: index)
        }
    }

    mutating func applyCut(_ step: UInt64, _ members: [Hash256]) throws(FactMismatch) {
        try require(step == cutStep + 1, "batch \(step) is not the next one")
        for group in members {
            let record = try found(groups[group], "group \(group)")
            let isProvisional = record.phase == .provisional
            try require(record.phase == .accepted || isProvisional, "group \(group) does not wait for a batch")
            if isProvisional {
                stopWaiting(group, record)
                counters.provisionalInBatches += 1
            }
            let version = try found(versions[record.version], "version \(record.version)")
            groups[group]?.phase = .batched(step)
            slots[record.slot]?.phase = .batched(step)
            counters.batchedTokens &+= record.tokens
            counters.maximumStaleness = max(counters.maximumStaleness, step - 1 - min(step - 1, version.step))
        }
        let taken = Set(members)
        try require(taken.count == members.count, "batch \(step) has a group twice")
        acceptedGroups.removeAll { taken.contains($0) }
        batches[step] = members
        cutStep = step
    }

    /// Forgets batches, slots, leases and groups that a STABLE checkpoint covers, but for the groups that are kept.
    mutating func release(through step: UInt64, keeping kept: [Hash256]) {
        guard step > stableStep else { return }
        let kept = Set(kept)
        for covered in (stableStep + 1)...step {
            for group in batches.removeValue(forKey: covered) ?? [] {
                guard let record = groups[group] else { continue }
                contestedGroups.remove(group)
                if kept.contains(group) {
                    keptGroups.append(group)
                } else {
                    closeCheck(of: group)
                    groups[group] = nil
                }
                // Verdicts that are being looked at again outlive their slot.
                let checked = (slots[record.slot]?.earlier ?? []).filter { kept.contains($0) }
                slots[record.slot]?.earlier.removeAll { kept.contains($0) }
                keptGroups += checked
                forgetEarlier(than: 0, of: record.slot)
                for lease in slots.removeValue(forKey: record.slot)?.leases ?? [] { leases[lease] = nil }
            }
        }
        stableStep = step
    }

    mutating func applyForgotten(_ forgotten: [Hash256]) throws(FactMismatch) {
        let forgotten = Set(forgotten)
        try require(forgotten.isSubset(of: keptGroups), "a group is forgotten that was not kept")
        for group in forgotten {
            closeCheck(of: group)
            groups[group] = nil
        }
        keptGroups.removeAll { forgotten.contains($0) }
    }

    mutating func applyForgotten(_ forgotten: [PublicKey]) throws(FactMismatch) {
        for worker in forgotten {
            try require(workers[worker]?.isEmpty ?? false, "a worker is forgotten of which something is left")
            workers[worker] = nil
        }
    }

    /// Notes under which version a group was found wrong.
    mutating func noteRejected(_ version: UInt64) {
        rejectedVersions.removeAll { $0 == version }
        rejectedVersions.append(version)
        rejectedVersions = rejectedVersions.suffix(Self.evidenceVersions)
    }
}
