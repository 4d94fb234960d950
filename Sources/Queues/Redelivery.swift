/// Messages that were sent and are not yet acknowledged: when to send each again, and when to give it up.
///
/// A value without clock, thread or socket: time is an argument, so that thousands of losses can be simulated.
/// Every message is sent at least once while there is a connection; the receiver must bear duplicates and other
/// orders, and answer a repeated message as it answered the first time.
public struct Redelivery<Message: Sendable>: Sendable {
    /// How patient and how large.
    public struct Policy: Hashable, Sendable {
        /// How long to wait for the first acknowledgement; doubled after every repetition.
        public var repeatAfter: Duration
        /// The longest wait between two repetitions.
        public var repeatAtMostAfter: Duration
        /// How long after a message was added it is given up; nil for never.
        public var giveUpAfter: Duration?
        /// Messages that may be pending at a time.
        public var maximumPending: Int
        /// Bytes that may be pending at a time.
        public var maximumBytes: Int

        /// Waits one second, then two, and so on up to thirty; never gives up; holds 256 messages and 256 MiB.
        public init(
            repeatAfter: Duration = .seconds(1), repeatAtMostAfter: Duration = .seconds(30),
            giveUpAfter: Duration? = nil, maximumPending: Int = 256, maximumBytes: Int = 256 << 20
        ) {
            self.repeatAfter = repeatAfter
            self.repeatAtMostAfter = repeatAtMostAfter
            self.giveUpAfter = giveUpAfter
            self.maximumPending = maximumPending
            self.maximumBytes = maximumBytes
        }
    }

    /// A message to be sent now.
    public struct Due: Sendable {
        /// Its number; the same each time.
        public let id: UInt64
        /// The message.
        public let message: Message
        /// 1 for the first time.
        public let attempt: Int
    }

    private struct Entry: Sendable {
        let message: Message
        let bytes: Int
        let addedAt: ContinuousClock.Instant
        var dueAt: ContinuousClock.Instant
        var attempts = 0
    }

    private let policy: Policy
    private var entries: [UInt64: Entry] = [:]
    private var bytes = 0
    private var lastID: UInt64 = 0
    private var isConnected = false

    /// Starts with nothing pending and no connection.
    public init(policy: Policy = Policy()) { self.policy = policy }

    /// Messages that are not yet acknowledged.
    public var count: Int { entries.count }

    /// Says whether a message is not yet acknowledged.
    public func isPending(_ id: UInt64) -> Bool { entries[id] != nil }

    /// Gives the next number, for a message that is not to be repeated.
    public mutating func nextID() -> UInt64 {
        lastID += 1
        return lastID
    }

    /// Says whether a message of this size may be added.
    public func hasRoom(for bytes: Int) -> Bool {
        entries.count < policy.maximumPending && (self.bytes + bytes <= policy.maximumBytes || entries.isEmpty)
    }

    /// Adds a message under the number that ``nextID()`` gave; it is due at once.
    ///
    /// - Returns: false when too much is pending; nothing has changed then.
    public mutating func add(_ message: Message, id: UInt64, bytes: Int, at now: ContinuousClock.Instant) -> Bool {
        guard hasRoom(for: bytes), entries[id] == nil else { return false }
        entries[id] = Entry(message: message, bytes: bytes, addedAt: now, dueAt: now)
        self.bytes += bytes
        return true
    }

    /// Forgets an acknowledged message.
    ///
    /// - Returns: false if it was not pending: acknowledged before, given up, or never sent.
    @discardableResult
    public mutating func acknowledge(_ id: UInt64) -> Bool { remove(id) != nil }

    /// A connection is ready: everything pending is due at once, since what was under way is lost.
    public mutating func connected(at now: ContinuousClock.Instant) {
        isConnected = true
        for id in entries.keys {
            entries[id]?.dueAt = now
            entries[id]?.attempts = 0
        }
    }

    /// The connection is gone: nothing is due until there is another.
    public mutating func disconnected() { isConnected = false }

    /// Takes the messages that are to be sent now, in the order of their numbers.
    public mutating func due(at now: ContinuousClock.Instant) -> [Due] {
        guard isConnected else { return [] }
        let ids = entries.filter { $0.value.dueAt <= now }.keys.sorted()
        return ids.compactMap { id in
            guard var entry = entries[id] else { return nil }
            entry.attempts += 1
            entry.dueAt = now + wait(after: entry.attempts)
            entries[id] = entry
            return Due(id: id, message: entry.message, attempt: entry.attempts)
        }
    }

    /// Takes the messages whose time is over, in the order of their numbers; they are forgotten.
    public mutating func giveUp(at now: ContinuousClock.Instant) -> [UInt64] {
        guard let patience = policy.giveUpAfter else { return [] }
        let ids = entries.filter { $0.value.addedAt + patience <= now }.keys.sorted()
        for id in ids { remove(id) }
        return ids
    }

    /// When something will be due or given up, if nothing happens before; nil for never.
    public func nextDeadline() -> ContinuousClock.Instant? {
        entries.values.reduce(nil) { earliest, entry in
            var deadline = isConnected ? entry.dueAt : nil
            if let patience = policy.giveUpAfter {
                let end = entry.addedAt + patience
                deadline = deadline.map { min($0, end) } ?? end
            }
            guard let deadline else { return earliest }
            return earliest.map { min($0, deadline) } ?? deadline
        }
    }

    private func wait(after attempts: Int) -> Duration {
        let doubled = policy.repeatAfter * (1 << min(attempts - 1, 16))
        return min(doubled, policy.repeatAtMostAfter)
    }

    @discardableResult
    private mutating func remove(_ id: UInt64) -> Entry? {
        guard let entry = entries.removeValue(forKey: id) else { return nil }
        bytes -= entry.bytes
        return entry
    }
}
