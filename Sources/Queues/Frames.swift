/// One message as the network carries it: a few byte strings in order.
public typealias Frames = [[UInt8]]

/// One connection of one client, as the router numbered it.
///
/// The number is the router's own: a client that comes back has another one, and no client can choose it. Who the
/// client is says ``Incoming/curveKey``.
public struct PeerID: Hashable, Sendable, CustomStringConvertible {
    /// What libzmq calls the connection.
    let route: UInt32
    /// Keeps a later connection under the same route apart from this one.
    let generation: UInt64

    /// A short text for logs.
    public var description: String { "peer-\(generation)" }
}

/// A message from a client whose key was checked by the transport.
public struct Incoming: Sendable {
    /// Where an answer goes.
    public let peer: PeerID
    /// The client's CURVE public key, 32 bytes: proven by the handshake, admitted by `authorize`.
    public let curveKey: [UInt8]
    /// The client's network address, for rate limits and logs; never an identity.
    public let address: String
    /// The message.
    public let frames: Frames
}

/// The size of a message in memory, near enough for limits.
func weight(of frames: Frames) -> Int {
    frames.reduce(64) { $0 + $1.count + 32 }
}
