import CZeroMQ
public import Identity
import Synchronization

/// The listening end: many clients connect, each over an encrypted channel with a proven key.
///
/// The socket lives on a thread of its own. `send` never blocks and never waits for the network; what does not fit
/// is refused at once. Messages that no honest client sends are dropped and counted, and the connection is cut.
public final class RouterSocket: Sendable {
    /// What happened besides messages.
    public enum Event: Sendable, Hashable {
        /// A client's connection ended, for whatever reason.
        case left(PeerID, curveKey: [UInt8])
        /// The access control refused a client.
        case refused(curveKey: [UInt8], address: String)
        /// A message could not be handed over.
        case undeliverable(PeerID, DropReason)
        /// A connection was cut.
        case cut(address: String, CutReason)
        /// A client did not get through the handshake.
        case handshakeBroken(reason: String)
    }

    /// Messages of admitted clients.
    public let incoming: Inbox<Incoming>
    /// Other news; the oldest are dropped when nobody reads them.
    public let events: AsyncStream<Event>
    /// The endpoint that it listens on, with the real port.
    public let endpoint: String
    /// The port that it listens on.
    public let port: Int

    private let outbox: Outbox<RouterOutgoing>
    private let control: SocketControl

    /// Listens.
    ///
    /// - Parameters:
    ///   - endpoint: `tcp://ADDRESS:PORT`; port 0 takes any free one.
    ///   - serverKey: the key pair that clients must know the public half of.
    ///   - limits: bounds on everything.
    ///   - authorize: decides for each client, after it has proven its key and before it may send anything; called
    ///     on the socket's thread, so it must be quick.
    /// - Throws: ``QueueError``, for example when the port is in use.
    public init(
        bind endpoint: String, serverKey: CurveKey, limits: SocketLimits = .standard,
        authorize: @escaping @Sendable (_ curvePublicKey: [UInt8], _ address: String) -> Bool
    ) throws {
        try BindFault.check(endpoint, allowsAnyPort: true)
        let control = try SocketControl()
        let outbox = Outbox<RouterOutgoing>(limits: limits)
        let incoming = Inbox<Incoming>(maximumCount: limits.inboxMessages, maximumWeight: limits.inboxBytes) {
            control.wakeUp.signal()
        }
        let (events, eventsIn) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(1024))
        let context = try ZeroMQContext()
        do {
            let access = try AccessControl(context.pointer, authorize: authorize)
            context.atClose { access.close() }
            let socket = try ZeroMQSocket(context.pointer, ZMQ_ROUTER)
            context.atClose { socket.close() }
            try socket.setUp(limits)
            try socket.set(ZMQ_ROUTER_MANDATORY, Int32(1))
            try socket.set(ZMQ_BACKLOG, Int32(512))
            try socket.set(ZMQ_CURVE_SERVER, Int32(1))
            try socket.set(ZMQ_CURVE_SECRETKEY, serverKey.secretKey)
            try socket.set(ZMQ_ZAP_DOMAIN, [UInt8]("apus".utf8))
            let reports = try socket.monitor(context.pointer, ConnectionReport.wanted)
            context.atClose { reports.close() }
            guard socket.bind(endpoint) else { throw BindFault.explain(endpoint, zmq_errno()) }
            self.endpoint = socket.lastEndpoint
            port = BindFault.port(of: self.endpoint)
            let loop = RouterLoop(
                context: context, socket: socket, reports: reports, access: access, limits: limits, control: control,
                outbox: outbox, inbox: incoming, events: eventsIn)
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

    /// Hands a message over for one client; returns at once.
    ///
    /// - Throws: ``QueueError`` with `.backlogFull` when too many wait, `.tooLarge`, or `.closed`. That a client is
    ///   gone or does not read comes later, as an ``Event/undeliverable(_:_:)``.
    public func send(_ frames: Frames, to peer: PeerID) throws(QueueError) {
        try outbox.put(.message(peer, frames), frames)
        control.wakeUp.signal()
    }

    /// Cuts a client's connection; the client may come back.
    public func disconnect(_ peer: PeerID) {
        // A closed socket has no connections left to cut, and a full outbox is drained by the same thread.
        try? outbox.put(.cut(peer), [[]])
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

    /// Closes and waits until the port is free again.
    public func closeAndWait() async {
        close()
        await control.ended()
    }
}

/// What `send` and `disconnect` leave for the socket's thread.
enum RouterOutgoing: Sendable {
    case message(PeerID, Frames)
    case cut(PeerID)
}
