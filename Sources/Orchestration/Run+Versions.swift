import Identity

extension Run {
    /// Takes in a published version and tells everyone.
    mutating func publish(_ from: Correspondent, _ version: PolicyVersion, _ now: Instant) {
        guard sender(from, .trainer, now) != nil else { return }
        if let newest = state.newest, version.number <= newest.number {
            // Known again, or so old that nothing refers to it; a number names one set of weights for ever.
            if let known = state.versions[version.number], known != version {
                refuse(
                    from,
                    Refusal(
                        "version-reused", "Version \(version.number) was published with other weights before.",
                        advice: "Publish under number \(newest.number + 1).", final: true))
                return
            }
            outbox.append(.acknowledge(to: from))
            return
        }
        guard version.step <= state.cutStep else {
            refuse(
                from,
                Refusal(
                    "version-ahead",
                    "Version \(version.number) claims step \(version.step); only \(state.cutStep) batches were made.",
                    final: true))
            return
        }
        commit(.versionPublished(version: version))
        outbox.append(.acknowledge(to: from))
        let everyone = connectedMembers().filter { $0.role != .trainer }.compactMap(\.connection)
        if !everyone.isEmpty {
            outbox.append(.announceVersion(to: everyone, version: version, oldestUseful: oldestUsefulVersion))
        }
        report(.versionPublished(version))
    }

    /// The lowest version number that a lease or an audit may still name.
    public var oldestUsefulVersion: UInt64 {
        let leased = state.liveLeases.compactMap { state.leases[$0]?.version }
        let pending = state.workers.values.flatMap { $0.pendingGroups + $0.waitingGroups }.compactMap {
            state.groups[$0]?.version
        }
        return (leased + pending).min() ?? state.newest?.number ?? 0
    }
}
