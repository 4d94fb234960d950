import Identity

/// Which group may use a completions server, whose memory holds one version of the weights: a pure state machine.
///
/// The oldest version that somebody waits for comes first; before another one is loaded, the groups of the present one
/// are finished.
struct ServerTurns: Sendable {
    /// What is to be done next.
    enum Move: Hashable, Sendable {
        /// The group's request may be sent.
        case start(Hash256)
        /// The version must be loaded; ``finishLoading(_:succeeded:)`` follows.
        case load(UInt64)
    }

    /// Most groups at the server at once.
    let capacity: Int
    /// The version in the server's memory, as far as is known.
    private(set) var loaded: UInt64?
    /// The version that is being loaded.
    private(set) var loading: UInt64?
    /// Groups at the server.
    private(set) var running = 0
    private var waiting: [(group: Hash256, version: UInt64)] = []

    init(capacity: Int) { self.capacity = max(1, capacity) }

    /// A group wants to be generated.
    mutating func wait(_ group: Hash256, version: UInt64) { waiting.append((group, version)) }

    /// The versions that somebody waits for.
    var awaited: Set<UInt64> { Set(waiting.map(\.version)) }

    /// A waiting group is off; false where it is not waiting.
    mutating func leave(_ group: Hash256) -> Bool {
        guard let place = waiting.firstIndex(where: { $0.group == group }) else { return false }
        waiting.remove(at: place)
        return true
    }

    /// A group that was started is done, one way or the other.
    mutating func finish() { running = max(0, running - 1) }

    /// A version is in the server's memory, or cannot be: then those who wait for it are off, and are returned.
    mutating func finishLoading(_ version: UInt64, succeeded: Bool) -> [Hash256] {
        guard loading == version else { return [] }
        loading = nil
        // After a failure nobody knows what the server holds.
        loaded = succeeded ? version : nil
        guard !succeeded else { return [] }
        defer { waiting.removeAll { $0.version == version } }
        return waiting.filter { $0.version == version }.map(\.group)
    }

    /// The next thing to do, noted as done; nil when nothing is.
    mutating func nextMove() -> Move? {
        guard loading == nil, running < capacity, let oldest = waiting.map(\.version).min() else { return nil }
        guard oldest == loaded else {
            guard running == 0 else { return nil }
            loading = oldest
            return .load(oldest)
        }
        guard let place = waiting.firstIndex(where: { $0.version == oldest }) else { return nil }
        running += 1
        return .start(waiting.remove(at: place).group)
    }
}
