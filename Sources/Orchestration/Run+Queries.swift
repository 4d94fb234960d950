public import Identity

/// What the driver asks before it can say what happened; none of these change anything.
extension Run {
    /// Who said hello on a connection.
    public func key(on connection: ConnectionID) -> PublicKey? { presence.keys[connection] }

    /// The lease that a submission names, if it is this connection's; what cheap checks compare with.
    public func lease(_ id: UInt64, on connection: ConnectionID) -> (record: LeaseRecord, version: PolicyVersion)? {
        guard let key = presence.keys[connection], let record = state.leases[id], record.worker == key,
            let version = state.versions[record.version]
        else { return nil }
        return (record, version)
    }

    /// Whether a submission is to be checked before it is handed over: its lease is this connection's and still takes
    /// a group, or it is a second group for the lease.
    ///
    /// A second group is taken for equivocation only if its signature holds, so that one must be checked too. Whatever
    /// need not be checked is handed over as it is; the machine answers it from what it knows.
    ///
    /// - Parameter group: SHA-256 of the payload; without it, a second group is not told from a repeated one.
    public func awaitsGroup(_ lease: UInt64, group: Hash256? = nil, on connection: ConnectionID) -> Bool {
        guard let found = self.lease(lease, on: connection) else { return false }
        switch found.record.phase {
        case .live, .ended(.expired), .ended(.returned), .ended(.absent), .ended(.slotOwned):
            return true
        case .submitted(let first):
            return group.map { $0 != first } ?? false
        case .ended(.rejected), .ended(.banned), .ended(.withdrawn), .ended(.stale):
            return false
        }
    }

    /// The group of an audit that this connection holds, what a report is compared with; nil where there is none.
    public func audit(_ id: UInt64, on connection: ConnectionID) -> (group: Hash256, record: GroupRecord)? {
        guard let key = presence.keys[connection], let audit = state.audits[id], audit.verifier == key,
            let record = state.groups[audit.group]
        else { return nil }
        return (audit.group, record)
    }

    /// Whether an audit looks once more at a group that has its verdict: no rewards are needed for it.
    public func isCheck(_ audit: UInt64) -> Bool { state.audits[audit]?.purpose != nil }

    /// Whether a group was not audited, and no later audit has vouched for it yet.
    public func isPromised(_ group: Hash256) -> Bool {
        guard let record = state.groups[group] else { return false }
        return state.workers[record.worker]?.unvested.contains { $0.group == group } ?? false
    }

    /// How many steps old the groups of a batch are that no STABLE checkpoint covers yet; nil where there is none.
    public func staleness(ofBatch step: UInt64) -> (mean: Double, maximum: UInt64)? {
        guard let groups = state.batches[step], !groups.isEmpty else { return nil }
        let ages = groups.map { group -> UInt64 in
            let version = state.groups[group].flatMap { state.versions[$0.version] }
            return step - 1 - min(step - 1, version?.step ?? 0)
        }
        return (Double(ages.reduce(0, +)) / Double(ages.count), ages.max() ?? 0)
    }

    /// The connection of a member, if it is connected.
    public func connection(of key: PublicKey) -> ConnectionID? { presence.members[key]?.connection }

    /// Connected members: key, role, name and the groups per second that it was measured at.
    public var members: [(key: PublicKey, role: Role, name: String, groupsPerSecond: Double?)] {
        connectedMembers().map { ($0.key, $0.role, $0.name, $0.pace.groupsPerMillisecond.map { $0 * 1000 }) }
    }

    /// Whether all steps are made.
    public var isFinished: Bool { state.doneStep >= configuration.steps }
}
