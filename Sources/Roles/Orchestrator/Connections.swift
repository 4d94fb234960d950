import Identity
import Messages
import Orchestration
import Queues

/// Who is on the other end of each connection: the authenticated key of the channel, and the identity tied to it.
struct Connections {
    /// What is known of one connection.
    struct Connection {
        let id: ConnectionID
        let peer: PeerID
        /// The CURVE key that the transport authenticated.
        let curveKey: [UInt8]
        /// The Ed25519 key that signed this CURVE key, once it said hello.
        var identity: PublicKey?
        var role: Role?
        var name = ""
        /// The foreign engine that it declared; empty for the canonical arithmetic.
        var engine = ""
        /// The next message number of ours on this connection.
        var nextMessage: UInt64 = 1
        /// Messages that it may still send at once, refilled with time.
        var allowance = Connections.burst
        var refilledAt = ContinuousClock.now
    }

    /// Connections that have not said hello are forgotten first when there are too many.
    private static let capacity = 4096
    /// Messages that a connection may send at once; the fastest honest worker needs a few hundred a second.
    static let burst = 4000.0
    /// Messages that a connection may send per second in the long run.
    private static let rate = 2000.0

    private var byPeer: [PeerID: ConnectionID] = [:]
    private var byID: [ConnectionID: Connection] = [:]
    private var order: [ConnectionID] = []
    private var next: UInt64 = 1

    /// The connection behind a routing id; a new one when the id is new or its authenticated key changed.
    mutating func connection(peer: PeerID, curveKey: [UInt8]) -> Connection {
        if let id = byPeer[peer], let known = byID[id], known.curveKey == curveKey { return known }
        let connection = Connection(id: ConnectionID(next), peer: peer, curveKey: curveKey)
        next += 1
        byPeer[peer] = connection.id
        byID[connection.id] = connection
        order.append(connection.id)
        if byID.count > Self.capacity { forgetOldestStranger() }
        return connection
    }

    /// The connection of a peer that has sent something before.
    func known(peer: PeerID, curveKey: [UInt8]) -> ConnectionID? {
        guard let id = byPeer[peer], byID[id]?.curveKey == curveKey else { return nil }
        return id
    }

    /// Takes one message from a connection's allowance; false when it sends more than anybody honest would.
    mutating func admits(messageOn id: ConnectionID, at now: ContinuousClock.Instant) -> Bool {
        guard var connection = byID[id] else { return false }
        let seconds = connection.refilledAt.duration(to: now) / .seconds(1)
        // One that has not said hello has no reason to say much.
        let share = connection.identity == nil ? 0.01 : 1
        connection.allowance = min(Self.burst, connection.allowance + seconds * Self.rate * share)
        connection.refilledAt = now
        connection.allowance -= connection.identity == nil ? 100 : 1
        byID[id] = connection
        return connection.allowance >= 0
    }

    subscript(_ id: ConnectionID) -> Connection? { byID[id] }

    mutating func introduce(_ id: ConnectionID, _ hello: Hello) {
        byID[id]?.identity = hello.key
        byID[id]?.role = hello.role
        byID[id]?.name = hello.name
        byID[id]?.engine = hello.engine
    }

    mutating func nextMessage(to id: ConnectionID) -> UInt64 {
        guard let number = byID[id]?.nextMessage else { return 0 }
        byID[id]?.nextMessage = number + 1
        return number
    }

    mutating func forget(_ id: ConnectionID) {
        guard let connection = byID.removeValue(forKey: id) else { return }
        if byPeer[connection.peer] == id { byPeer[connection.peer] = nil }
        order.removeAll { $0 == id }
    }

    private mutating func forgetOldestStranger() {
        if let stranger = order.first(where: { byID[$0]?.identity == nil }) ?? order.first { forget(stranger) }
    }
}
