/// Messages for clients whose connection takes no more at the moment, in order, client by client.
///
/// A router must not wait for a slow client while others are served, and must not hold messages for it without bound.
struct PeerBacklogs {
    private struct Backlog {
        var queue = FirstInFirstOut<Frames>()
        var bytes = 0
        var lastProgress: ContinuousClock.Instant
    }

    private let limits: SocketLimits
    private var backlogs: [UInt32: Backlog] = [:]
    private var bytes = 0

    init(limits: SocketLimits) { self.limits = limits }

    var isEmpty: Bool { backlogs.isEmpty }
    var routes: [UInt32] { Array(backlogs.keys) }

    /// Says whether messages wait for this client, so that a new one must queue behind them.
    func contains(_ route: UInt32) -> Bool { backlogs[route] != nil }

    /// Adds a message; false if that would be too much.
    mutating func append(_ frames: Frames, for route: UInt32, at now: ContinuousClock.Instant) -> Bool {
        var backlog = backlogs[route] ?? Backlog(lastProgress: now)
        let weight = weight(of: frames)
        guard backlog.queue.count < limits.peerBacklogMessages, bytes + weight <= limits.outboxBytes,
            backlog.bytes + weight <= limits.peerBacklogBytes || backlog.queue.isEmpty
        else { return false }
        backlog.queue.append(frames)
        backlog.bytes += weight
        bytes += weight
        backlogs[route] = backlog
        return true
    }

    /// Offers the messages of one client, oldest first, until one is not taken.
    ///
    /// - Returns: false if the client has taken nothing for too long.
    mutating func drain(
        _ route: UInt32, at now: ContinuousClock.Instant, send: (Frames) -> ZeroMQSocket.Outcome
    ) -> Bool {
        guard var backlog = backlogs[route] else { return true }
        while let frames = backlog.queue.first, send(frames) != .wouldBlock {
            _ = backlog.queue.popFirst()
            let weight = weight(of: frames)
            backlog.bytes -= weight
            bytes -= weight
            backlog.lastProgress = now
        }
        backlogs[route] = backlog.queue.isEmpty ? nil : backlog
        return backlog.queue.isEmpty || now - backlog.lastProgress <= limits.stallWithin
    }

    /// Forgets a client; the number of messages that waited for it.
    mutating func remove(_ route: UInt32) -> Int {
        guard let backlog = backlogs.removeValue(forKey: route) else { return 0 }
        bytes -= backlog.bytes
        return backlog.queue.count
    }
}
