import CZeroMQ
public import Identity
import Synchronization

/// The connecting end: one encrypted channel to one server, which comes back by itself when it breaks.
///
/// The socket lives on a thread of its own. Messages wait until the server has been reached and its key proven.
/// What was on its way when a connection broke is lost; ``ReliableDealer`` sends such messages again.
public final class DealerSocket: Sendable {
    /// What happened to the connection.
    public enum Event: Sendable, Hashable {
        /// The handshake is done: the server has the expected key and admits this one.
        case connected
        /// An established connection ended; the next one is being tried.
        case disconnected
        /// The server has not said a word for this long although it was asked; the client connects anew.
        case silent(for: Duration)
        /// The server's access control refuses this client's key.
        case refused
        /// The handshake broke off; the reason is one sentence for people.
        case handshakeBroken(reason: String)
        /// The server could not be reached; the next attempt follows after this time.
        case retrying(after: Duration)
        /// A message was not acknowledged in time and is given up (``ReliableDealer`` only).
        case gaveUp(UInt64)
    }

    /// Messages of the server.
    public let incoming: Inbox<Frames>
    /// News about the connection; the oldest are dropped when nobody reads them.
    public let events: AsyncStream<Event>

    private let outbox: Outbox<Frames>
    private let control: SocketControl

    /// Starts connecting; returns at once.
    ///
    /// - Parameters:
    ///   - endpoint: `tcp://HOST:PORT`.
    ///   - serverKey: the server's CURVE public key, 32 bytes, known from elsewhere.
    ///   - keys: the client's own key pair.
    ///   - limits: bounds on everything.
    /// - Throws: ``QueueError`` when the endpoint cannot be understood or a key is no key.
    public convenience init(
        connect endpoint: String, serverKey: [UInt8], keys: CurveKey, limits: SocketLimits = .standard
    ) throws {
        try self.init(connect: endpoint, serverKey: serverKey, keys: keys, limits: limits, duties: nil)
    }

    init(
        connect endpoint: String, serverKey: [UInt8], keys: CurveKey, limits: SocketLimits,
        duties: (any DealerDuties)?
    ) throws {
        guard serverKey.count == CurveKey.byteCount else {
            throw QueueError(
                .badKey, "the server's key has \(serverKey.count) bytes instead of 32",
                advice: "copy the join address again, whole")
        }
        try BindFault.check(endpoint, allowsAnyPort: false)
        let control = try SocketControl()
        let outbox = Outbox<Frames>(limits: limits)
        let incoming = Inbox<Frames>(maximumCount: limits.inboxMessages, maximumWeight: limits.inboxBytes) {
            control.wakeUp.signal()
        }
        let (events, eventsIn) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(256))
        let context = try ZeroMQContext()
        do {
            let socket = try ZeroMQSocket(context.pointer, ZMQ_DEALER)
            context.atClose { socket.close() }
            try socket.setUp(limits)
            // Messages wait with us, not with a connection that does not exist yet: after a break the first message
            // on the new connection must be the greeting.
            try socket.set(ZMQ_IMMEDIATE, Int32(1))
            try socket.set(ZMQ_CURVE_SERVERKEY, serverKey)
            try socket.set(ZMQ_CURVE_PUBLICKEY, keys.publicKey)
            try socket.set(ZMQ_CURVE_SECRETKEY, keys.secretKey)
            let reports = try socket.monitor(context.pointer, ConnectionReport.wanted)
            context.atClose { reports.close() }
            guard socket.connect(endpoint) else {
                throw QueueError(
                    .badEndpoint, "\(endpoint) cannot be connected to (\(QueueError.reason(zmq_errno())))",
                    advice: "write it as tcp://HOST:PORT")
            }
            let loop = DealerLoop(
                context: context, endpoint: endpoint, socket: socket, reports: reports, limits: limits,
                control: control, outbox: outbox,
                inbox: incoming, events: eventsIn, duties: duties)
            try loop.start()
        } catch {
            context.close()
            throw error
        }
        self.incoming = incoming
        self.events = events
        self.outbox = outbox
        self.control = control
    }

    deinit { close() }

    /// Hands a message over; returns at once.
    ///
    /// - Throws: ``QueueError`` with `.backlogFull` when too many wait, `.tooLarge`, or `.closed`.
    public func send(_ frames: Frames) throws(QueueError) {
        try outbox.put(frames, frames)
        control.wakeUp.signal()
    }

    /// Messages that wait for the socket's thread.
    public var backlog: Int { outbox.count }

    /// What has happened so far.
    public var statistics: QueueStatistics { control.statistics.withLock { $0 } }

    /// Stops accepting messages, lets the last ones leave, and ends the thread; returns at once.
    public func close() {
        outbox.close()
        control.close()
    }

    /// Closes and waits until the last messages have left or the linger time is over.
    public func closeAndWait() async {
        close()
        await control.ended()
    }

    var isClosed: Bool { control.shouldClose }

    /// Makes the thread ask its duties again.
    func wake() { control.wakeUp.signal() }
}

/// What a ``DealerSocket``'s thread does besides passing messages on; called on that thread.
protocol DealerDuties: Sendable {
    /// A connection is ready: the messages to send on it before all others.
    func connected(at now: ContinuousClock.Instant) -> [Frames]
    /// The connection is gone.
    func disconnected(at now: ContinuousClock.Instant)
    /// The messages that are due now.
    func due(at now: ContinuousClock.Instant) -> [Frames]
    /// When to ask again, if nothing else happens; nil for never.
    func nextDue() -> ContinuousClock.Instant?
    /// Messages given up since the last call.
    func givenUp() -> [UInt64]
}
