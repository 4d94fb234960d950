import Synchronization

/// Messages given to `send` that the socket's thread has not yet taken.
final class Outbox<Entry: Sendable>: Sendable {
    private struct State {
        var queue = FirstInFirstOut<(entry: Entry, weight: Int)>()
        var weight = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let limits: SocketLimits

    init(limits: SocketLimits) { self.limits = limits }

    /// Adds a message.
    func put(_ entry: Entry, _ frames: Frames) throws(QueueError) {
        var bytes = 0
        for frame in frames {
            bytes += frame.count
            guard frame.count <= limits.frameBytes, bytes <= limits.messageBytes else {
                throw QueueError(
                    .tooLarge, "a message of \(bytes) bytes or more is larger than the agreed \(limits.messageBytes)",
                    advice: "send less at a time, or raise the limits on both sides")
            }
        }
        guard !frames.isEmpty, frames.count <= limits.frames else {
            throw QueueError(
                .tooLarge, "a message has \(frames.count) frames, not 1 to \(limits.frames)",
                advice: "send less at a time")
        }
        let weight = weight(of: frames)
        let fault = state.withLock { state -> QueueError.Code? in
            if state.isClosed { return .closed }
            let isFull =
                state.queue.count >= limits.outboxMessages
                || (state.weight + weight > limits.outboxBytes && !state.queue.isEmpty)
            if isFull { return .backlogFull }
            state.queue.append((entry, weight))
            state.weight += weight
            return nil
        }
        switch fault {
        case nil: return
        case .closed: throw QueueError.closed
        default:
            throw QueueError(
                .backlogFull, "too many messages wait to be sent", advice: "try again when the other side has read some"
            )
        }
    }

    var count: Int { state.withLock { $0.queue.count } }

    func first() -> Entry? { state.withLock { $0.queue.first?.entry } }

    func takeFirst() -> Entry? {
        state.withLock { state in
            guard let (entry, weight) = state.queue.popFirst() else { return nil }
            state.weight -= weight
            return entry
        }
    }

    /// Accepts no more messages; those inside may still be taken.
    func close() { state.withLock { $0.isClosed = true } }
}
