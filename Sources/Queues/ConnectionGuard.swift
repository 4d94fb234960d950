/// Keeps the connections of a router within bounds that libzmq does not have.
///
/// libzmq counts whole messages only: frames of a message without an end pile up in memory and never reach the
/// program. So the guard compares what the kernel received on a connection with what the program was given from it.
/// It also counts connections, in all and by address, and cuts those that never say anything. Pure: the bytes and
/// the time are arguments, the cuts are results.
struct ConnectionGuard {
    /// The bytes that ZeroMQ's own probes may add up to on a connection that says nothing, per second.
    static let probeBytesPerSecond = 64.0

    private struct Connection {
        let address: String
        let since: ContinuousClock.Instant
        /// Bytes that had arrived when the last message was complete, or at the beginning.
        var settledBytes: UInt64 = 0
        var settledAt: ContinuousClock.Instant
        var hasSpoken = false
        var spokeSinceCheck = false
        var isCut = false
    }

    /// One network address: its open connections, and how many new ones it may make at the moment.
    private struct Origin {
        var open = 0
        var allowance: Double
        var countedAt: ContinuousClock.Instant
    }

    private let limits: SocketLimits
    private var connections: [Int32: Connection] = [:]
    private var origins: [String: Origin] = [:]

    init(limits: SocketLimits) { self.limits = limits }

    var count: Int { connections.count }

    /// Says whether there is nothing to check and nothing to remember.
    var isIdle: Bool { connections.isEmpty && origins.isEmpty }

    /// Says whether the connection is open as far as is known.
    func contains(_ descriptor: Int32) -> Bool { connections[descriptor] != nil }

    /// Counts a new connection; a reason to cut it if it is one too many.
    mutating func accepted(_ descriptor: Int32, from address: String, at now: ContinuousClock.Instant) -> CutReason? {
        disconnected(descriptor)
        connections[descriptor] = Connection(address: address, since: now, settledAt: now)
        var origin = origins[address] ?? Origin(allowance: Double(limits.connectionsPerAddress), countedAt: now)
        origin.open += 1
        refill(&origin, at: now)
        var reason: CutReason?
        if connections.count > limits.connections {
            reason = .tooManyConnections
        } else if origin.open > limits.connectionsPerAddress {
            reason = .tooManyFromAddress
        } else if origin.allowance < 1 {
            reason = .tooFrequent
        } else {
            origin.allowance -= 1
        }
        origins[address] = origin
        if reason != nil { connections[descriptor]?.isCut = true }
        return reason
    }

    /// Forgets a connection.
    mutating func disconnected(_ descriptor: Int32) {
        guard let connection = connections.removeValue(forKey: descriptor) else { return }
        origins[connection.address]?.open -= 1
    }

    private func refill(_ origin: inout Origin, at now: ContinuousClock.Instant) {
        let seconds = max(0, (now - origin.countedAt) / .seconds(1))
        let most = Double(limits.connectionsPerAddress)
        origin.allowance = min(most, origin.allowance + seconds * limits.connectionsPerSecondAndAddress)
        origin.countedAt = now
    }

    /// Forgets addresses that have no connection and their whole allowance again.
    private mutating func forgetIdleOrigins(at now: ContinuousClock.Instant) {
        for (address, origin) in origins where origin.open == 0 {
            var origin = origin
            refill(&origin, at: now)
            if origin.allowance >= Double(limits.connectionsPerAddress) { origins[address] = nil }
        }
    }

    /// A whole message has come from this connection.
    mutating func delivered(_ descriptor: Int32) {
        connections[descriptor]?.hasSpoken = true
        connections[descriptor]?.spokeSinceCheck = true
    }

    /// Finds connections to cut.
    ///
    /// - Parameters:
    ///   - isReading: false while the program is behind, when whole messages wait in libzmq too.
    ///   - receivedBytes: what the kernel has handed to libzmq on a connection; nil if it cannot say.
    mutating func check(
        at now: ContinuousClock.Instant, isReading: Bool, receivedBytes: (Int32) -> UInt64?
    ) -> [(descriptor: Int32, reason: CutReason)] {
        forgetIdleOrigins(at: now)
        let messages = isReading ? 2 : Int(limits.messagesPerConnection) + 2
        let allowance = Double(messages) * Double(limits.messageBytes + 65_536)
        var cuts: [(Int32, CutReason)] = []
        for (descriptor, connection) in connections where !connection.isCut {
            var connection = connection
            if let received = receivedBytes(descriptor) {
                if connection.spokeSinceCheck {
                    connection.settledBytes = received
                    connection.settledAt = now
                }
                let seconds = (now - connection.settledAt) / .seconds(1)
                let open = Double(received &- connection.settledBytes)
                if received > connection.settledBytes, open > allowance + seconds * Self.probeBytesPerSecond {
                    cuts.append((descriptor, .endlessMessage))
                    connection.isCut = true
                }
            }
            // While the program is behind, a first message may be waiting unread.
            if isReading, !connection.hasSpoken, now - connection.since > limits.firstMessageWithin {
                cuts.append((descriptor, .silent))
                connection.isCut = true
            }
            connection.spokeSinceCheck = false
            connections[descriptor] = connection
        }
        return cuts
    }
}
