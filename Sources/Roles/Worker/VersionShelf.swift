/// Which versions of the weights a worker has in memory: a pure state machine.
///
/// The oldest versions that have groups come first, since they are what is generated; then the newest announced one, which
/// is loaded ahead. A group waits for its version and is never given up for a newer one: whatever no batch can take any
/// more, the orchestrator cancels, which knows the bound. Waiting ends, because the oldest version in memory drains.
struct VersionShelf: Sendable {
    /// What is to be done with a version's weights.
    enum Move: Hashable, Sendable {
        /// Read them; ``finishLoading(_:succeeded:)`` follows.
        case load(UInt64)
        /// Forget them; they have no groups.
        case drop(UInt64)
    }

    /// Most versions in memory, the one that is being loaded included.
    var capacity: Int
    /// The versions in memory.
    private(set) var loaded: Set<UInt64> = []
    /// The version that is being loaded.
    private(set) var loading: UInt64?

    private var groups: [UInt64: Int] = [:]
    /// The newest version that was announced and can be loaded.
    private(set) var announced: UInt64?

    init(capacity: Int) {
        precondition(capacity > 0, "a worker needs room for one version")
        self.capacity = capacity
    }

    /// A version was published.
    mutating func announce(_ version: UInt64) {
        announced = max(announced ?? 0, version)
    }

    /// A group of this version has come.
    mutating func take(_ version: UInt64) {
        groups[version, default: 0] += 1
    }

    /// A group of this version is finished, or off.
    mutating func finish(_ version: UInt64) {
        guard let count = groups[version] else { return }
        groups[version] = count > 1 ? count - 1 : nil
    }

    /// What was asked for is in memory, or cannot be loaded; its groups must be finished then.
    mutating func finishLoading(_ version: UInt64, succeeded: Bool) {
        guard loading == version else { return }
        loading = nil
        if succeeded {
            loaded.insert(version)
        } else if announced == version {
            announced = nil
        }
    }

    /// The next thing to do, noted as done; nil when nothing is.
    mutating func nextMove() -> Move? {
        let newest = loaded.max() ?? 0
        if let idle = loaded.filter({ groups[$0] == nil && $0 < newest }).min() { return drop(idle) }
        guard loading == nil else { return nil }
        let busy = groups.keys.sorted()
        let ahead = announced.flatMap { groups[$0] == nil && $0 > newest ? $0 : nil }
        let wanted = (busy + (ahead.map { [$0] } ?? [])).prefix(capacity)
        guard let next = wanted.first(where: { !loaded.contains($0) }) else { return nil }
        if loaded.count < capacity {
            loading = next
            return .load(next)
        }
        return loaded.first { groups[$0] == nil && !wanted.contains($0) }.map { drop($0) }
    }

    private mutating func drop(_ version: UInt64) -> Move {
        loaded.remove(version)
        return .drop(version)
    }
}
