/// What must not be removed, said by those who know: the trainer, the orchestrator, a person.
public struct VersionsInUse: Sendable, Equatable {
    /// How many of the newest versions stay in any case.
    public var newest: Int
    /// The oldest version that is leased or may still be; it and all later ones stay.
    public var oldestLeased: UInt64?
    /// Versions that something else names: credit that has not vested, an open dispute, the evidence window.
    public var named: Set<UInt64>

    /// Names what is in use.
    public init(newest: Int, oldestLeased: UInt64? = nil, named: Set<UInt64> = []) {
        self.newest = newest
        self.oldestLeased = oldestLeased
        self.named = named
    }
}

extension OriginDirectory {
    /// Removes the versions that nobody uses; see ``prune(keeping:retaining:)``.
    @discardableResult
    public func prune(_ use: VersionsInUse) throws(ShardcastError) -> [UInt64] {
        let leased = use.oldestLeased.map { oldest in versions.filter { $0 >= oldest } } ?? []
        return try prune(keeping: use.newest, retaining: use.named.union(leased))
    }
}
