import CZeroMQ
import Synchronization

/// The thread of a ``DealerSocket``.
// `@unchecked`: built by one thread, then used by the socket's thread only; starting that thread is the hand-over.
final class DealerLoop: @unchecked Sendable {
    private let context: ZeroMQContext
    private let socket: ZeroMQSocket
    private let reports: ZeroMQSocket
    private let limits: SocketLimits
    private let reader: MessageReader
    private let control: SocketControl
    private let outbox: Outbox<Frames>
    private let inbox: Inbox<Frames>
    private let events: AsyncStream<DealerSocket.Event>.Continuation
    private let duties: (any DealerDuties)?

    private let endpoint: String
    private var isConnected = false
    /// When to connect anew if libzmq does not by itself.
    private var revivalAt: ContinuousClock.Instant?
    /// When the first message went out that nothing has followed from the server; nil while it owes nothing.
    private var unansweredSince: ContinuousClock.Instant?
    /// What the duties asked to send and libzmq has not yet taken; goes before the outbox.
    private var urgent = FirstInFirstOut<Frames>()

    init(
        context: ZeroMQContext, endpoint: String, socket: ZeroMQSocket, reports: ZeroMQSocket, limits: SocketLimits,
        control: SocketControl, outbox: Outbox<Frames>, inbox: Inbox<Frames>,
        events: AsyncStream<DealerSocket.Event>.Continuation, duties: (any DealerDuties)?
    ) {
        self.context = context
        self.endpoint = endpoint
        self.socket = socket
        self.reports = reports
        self.limits = limits
        reader = MessageReader(limits: limits)
        self.control = control
        self.outbox = outbox
        self.inbox = inbox
        self.events = events
        self.duties = duties
    }

    func start() throws(QueueError) {
        try SocketThread.start { [self] in
            run()
            // A server that is away will not come back in half a second: wait only for one that is there.
            if isConnected { try? socket.set(ZMQ_LINGER, limits.lingerAtClose.milliseconds) }
            socket.stopMonitor()
            context.close()
            inbox.finish()
            events.finish()
            control.reportEnd()
        }
    }

    private func run() {
        while true {
            control.wakeUp.clear()
            let isClosing = control.shouldClose
            readReports()
            reviveIfDue()
            if let duties, urgent.isEmpty {
                for frames in duties.due(at: .now) { urgent.append(frames) }
                for id in duties.givenUp() { events.yield(.gaveUp(id)) }
            }
            let hasMoreToSend = isConnected && !sendAll()
            if isClosing { return }
            let isReading = receiveSome()
            // What was not read cannot be missed.
            if isReading { leaveSilentServer() }
            wait(isReading: isReading, hasMoreToSend: hasMoreToSend)
        }
    }

    private func wait(isReading: Bool, hasMoreToSend: Bool) {
        let wanted = (isReading ? ZMQ_POLLIN : 0) | (hasMoreToSend ? ZMQ_POLLOUT : 0)
        var items = [
            zmq_pollitem_t(socket: socket.pointer, fd: 0, events: Int16(wanted), revents: 0),
            zmq_pollitem_t(socket: reports.pointer, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0),
            zmq_pollitem_t(socket: nil, fd: control.wakeUp.descriptor, events: Int16(ZMQ_POLLIN), revents: 0),
        ]
        // While libzmq takes no more, room for what is under way is what has to be waited for.
        let deadlines = [urgent.isEmpty ? duties?.nextDue() : nil, revivalAt, isReading ? silenceEndsAt : nil]
            .compactMap(\.self)
        let timeout = deadlines.min().map { Int(($0 - .now).milliseconds) } ?? -1
        zmq_poll(&items, Int32(items.count), timeout)
    }

    private func readReports() {
        while let frames = reports.receiveAll() {
            switch ConnectionReport(frames) {
            case .handshakeDone:
                isConnected = true
                revivalAt = nil
                unansweredSince = nil
                urgent = FirstInFirstOut()
                for frames in duties?.connected(at: .now) ?? [] { urgent.append(frames) }
                events.yield(.connected)
            case .disconnected:
                expectRetry(within: .seconds(1))
                // Also reported for connections that never got through the handshake.
                guard isConnected else { continue }
                forgetConnection()
                events.yield(.disconnected)
            case .refused:
                expectRetry(within: limits.reconnectAtMostAfter)
                events.yield(.refused)
            case .handshakeBroken(let reason):
                expectRetry(within: limits.reconnectAtMostAfter)
                control.statistics.withLock { $0.brokenHandshakes += 1 }
                events.yield(.handshakeBroken(reason: reason))
            case .retrying(let milliseconds):
                revivalAt = nil
                events.yield(.retrying(after: .milliseconds(Int(milliseconds))))
            case .accepted, nil:
                break
            }
        }
    }

    /// When the server's silence will have lasted too long, if it does not speak before.
    private var silenceEndsAt: ContinuousClock.Instant? {
        guard isConnected, let patience = limits.answerWithin else { return nil }
        return unansweredSince.map { $0 + patience }
    }

    private func leaveSilentServer() {
        guard let end = silenceEndsAt, let since = unansweredSince, end <= .now else { return }
        forgetConnection()
        events.yield(.silent(for: since.duration(to: .now)))
        socket.disconnect(endpoint)
        revivalAt = socket.connect(endpoint) ? nil : .now + limits.reconnectAtMostAfter
    }

    private func forgetConnection() {
        isConnected = false
        unansweredSince = nil
        urgent = FirstInFirstOut()
        duties?.disconnected(at: .now)
    }

    /// After a fault of the protocol (a refused key, a frame that is too large) libzmq gives the server up for good.
    private func expectRetry(within patience: Duration) {
        let deadline = ContinuousClock.now + patience
        revivalAt = revivalAt.map { max($0, deadline) } ?? deadline
    }

    private func reviveIfDue() {
        guard let due = revivalAt, due <= .now else { return }
        socket.disconnect(endpoint)
        // The endpoint was understood once; should it fail now, for want of memory or files, it is tried again.
        revivalAt = socket.connect(endpoint) ? nil : .now + limits.reconnectAtMostAfter
    }

    /// Hands over all that libzmq takes; false if something is left.
    private func sendAll() -> Bool {
        while let frames = urgent.first {
            guard send(frames) else { return false }
            _ = urgent.popFirst()
        }
        while let frames = outbox.first() {
            guard send(frames) else { return false }
            _ = outbox.takeFirst()
        }
        return true
    }

    private func send(_ frames: Frames) -> Bool {
        guard socket.send(frames) == .done else { return false }
        if unansweredSince == nil { unansweredSince = .now }
        let bytes = frames.reduce(0) { $0 + $1.count }
        control.statistics.withLock {
            $0.sent += 1
            $0.sentBytes += bytes
        }
        return true
    }

    /// Reads a bounded number of messages; false while the program is behind.
    private func receiveSome() -> Bool {
        for _ in 0..<256 {
            guard inbox.hasRoom() else { return false }
            switch reader.read(from: socket, hasRoute: false) {
            case .message(_, let frames):
                unansweredSince = nil
                let bytes = frames.reduce(0) { $0 + $1.count }
                control.statistics.withLock {
                    $0.received += 1
                    $0.receivedBytes += bytes
                }
                inbox.put(frames, weight: weight(of: frames))
            case .refused(_, let reason):
                control.statistics.withLock { $0.dropped[reason, default: 0] += 1 }
            case .nothing, .failed:
                return true
            }
        }
        return true
    }
}
