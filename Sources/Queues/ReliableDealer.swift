public import Identity
import Synchronization

/// A ``DealerSocket`` whose messages are sent again until they are acknowledged.
///
/// It knows nothing about what messages mean: the program makes each from the number that it is given, reads the
/// number out of the answer, and calls ``acknowledge(_:)``. After every reconnect the greeting goes first, then
/// everything pending in order. A message may arrive twice; receivers must be idempotent.
public final class ReliableDealer: Sendable {
    /// Messages of the server.
    public var incoming: Inbox<Frames> { socket.incoming }
    /// News about the connection, and messages that were given up.
    public var events: AsyncStream<DealerSocket.Event> { socket.events }

    private let socket: DealerSocket
    private let duties: ReliableDuties

    /// Starts connecting; returns at once.
    ///
    /// - Parameters:
    ///   - endpoint: `tcp://HOST:PORT`.
    ///   - serverKey: the server's CURVE public key, 32 bytes.
    ///   - keys: the client's own key pair.
    ///   - limits: bounds of the socket.
    ///   - policy: when to repeat and when to give up.
    ///   - greeting: makes the first message of every connection from its number; it is not repeated, since a lost
    ///     greeting means a lost connection. Called on the socket's thread.
    /// - Throws: ``QueueError`` when the endpoint cannot be understood or a key is no key.
    public init(
        connect endpoint: String, serverKey: [UInt8], keys: CurveKey, limits: SocketLimits = .standard,
        policy: Redelivery<Frames>.Policy = .init(), greeting: (@Sendable (_ id: UInt64) -> Frames)? = nil
    ) throws {
        duties = ReliableDuties(policy: policy, greeting: greeting)
        socket = try DealerSocket(
            connect: endpoint, serverKey: serverKey, keys: keys, limits: limits, duties: duties)
    }

    /// Sends a message until it is acknowledged.
    ///
    /// - Parameter make: makes the message from its number; called once, at once.
    /// - Returns: the number.
    /// - Throws: ``QueueError`` with `.backlogFull` when too much is pending.
    @discardableResult
    public func send(_ make: (_ id: UInt64) throws -> Frames) throws -> UInt64 {
        guard !socket.isClosed else { throw QueueError.closed }
        let id = try duties.add(make)
        socket.wake()
        return id
    }

    /// Sends a message once, for things that a later message makes worthless, such as signs of life.
    ///
    /// - Throws: ``QueueError`` with `.backlogFull` when too many wait.
    public func sendOnce(_ make: (_ id: UInt64) throws -> Frames) throws {
        try socket.send(try make(duties.nextID()))
    }

    /// The server has answered this message: it is not sent again.
    ///
    /// - Returns: false if it was not pending any more, which a repeated answer explains.
    @discardableResult
    public func acknowledge(_ id: UInt64) -> Bool { duties.acknowledge(id) }

    /// Messages that are not yet acknowledged.
    public var pendingCount: Int { duties.count }

    /// What the socket has done so far.
    public var statistics: QueueStatistics { socket.statistics }

    /// Stops accepting messages, lets the last ones leave, and ends the thread; returns at once.
    public func close() { socket.close() }

    /// Closes and waits until the last messages have left or the linger time is over.
    public func closeAndWait() async { await socket.closeAndWait() }
}

/// The pending messages, shared between the program and the socket's thread.
private final class ReliableDuties: DealerDuties {
    private let state: Mutex<(table: Redelivery<Frames>, givenUp: [UInt64])>
    private let greeting: (@Sendable (UInt64) -> Frames)?

    init(policy: Redelivery<Frames>.Policy, greeting: (@Sendable (UInt64) -> Frames)?) {
        state = Mutex((Redelivery(policy: policy), []))
        self.greeting = greeting
    }

    var count: Int { state.withLock { $0.table.count } }

    func nextID() -> UInt64 { state.withLock { $0.table.nextID() } }

    func add(_ make: (UInt64) throws -> Frames) throws -> UInt64 {
        let id = nextID()
        let frames = try make(id)
        let isAdded = state.withLock { $0.table.add(frames, id: id, bytes: weight(of: frames), at: .now) }
        guard isAdded else {
            throw QueueError(
                .backlogFull, "too many messages wait for an answer", advice: "try again when the server has answered")
        }
        return id
    }

    func acknowledge(_ id: UInt64) -> Bool { state.withLock { $0.table.acknowledge(id) } }

    func connected(at now: ContinuousClock.Instant) -> [Frames] {
        let id = state.withLock { state in
            state.table.connected(at: now)
            return state.table.nextID()
        }
        return greeting.map { [$0(id)] } ?? []
    }

    func disconnected(at now: ContinuousClock.Instant) { state.withLock { $0.table.disconnected() } }

    func due(at now: ContinuousClock.Instant) -> [Frames] {
        state.withLock { state in
            state.givenUp += state.table.giveUp(at: now)
            return state.table.due(at: now).map(\.message)
        }
    }

    func nextDue() -> ContinuousClock.Instant? { state.withLock { $0.table.nextDeadline() } }

    func givenUp() -> [UInt64] {
        state.withLock { state in
            defer { state.givenUp = [] }
            return state.givenUp
        }
    }
}
