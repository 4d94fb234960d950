/// How much a socket accepts, holds and waits for.
///
/// Every number bounds something that a stranger could stretch.
public struct SocketLimits: Hashable, Sendable {
    /// Bytes of one frame; libzmq cuts the connection of whoever sends a larger one, before it allocates.
    public var frameBytes = 32 << 20
    /// Bytes of all frames of a message together.
    public var messageBytes = 48 << 20
    /// Frames of a message.
    public var frames = 4

    /// Messages received and not yet taken by the program.
    public var inboxMessages = 1024
    /// Bytes received and not yet taken by the program.
    public var inboxBytes = 256 << 20
    /// Messages given to `send` and not yet with libzmq.
    public var outboxMessages = 4096
    /// Bytes given to `send` and not yet with libzmq.
    public var outboxBytes = 256 << 20
    /// Messages that libzmq holds for one connection in each direction.
    public var messagesPerConnection: Int32 = 64

    /// Messages that a router holds for one client that reads slowly.
    public var peerBacklogMessages = 1024
    /// Bytes that a router holds for one client that reads slowly.
    public var peerBacklogBytes = 64 << 20
    /// How long a client may read nothing while messages wait for it.
    public var stallWithin = Duration.seconds(20)

    /// Connections of a router in all.
    public var connections = 4096
    /// Connections of a router from one network address.
    public var connectionsPerAddress = 256
    /// New connections of a router from one network address in the long run; ``connectionsPerAddress`` may come at once.
    public var connectionsPerSecondAndAddress = 16.0
    /// How long a connection may stay without a first message.
    public var firstMessageWithin = Duration.seconds(30)

    /// How long a handshake may take.
    public var handshakeWithin = Duration.seconds(10)
    /// How often the system probes a silent connection, in whole seconds.
    public var probeEvery = Duration.seconds(5)
    /// How long a connection may leave a probe, or bytes that were sent, without an answer before it is given up.
    public var probeWithin = Duration.seconds(20)
    /// How long a client that has said something waits for a word of the server before it connects anew; nil for ever.
    ///
    /// The system's probes find a machine that is gone, not a server that hangs or a tunnel whose far end is gone.
    public var answerWithin: Duration?
    /// How long a client waits before it connects again, at first.
    public var reconnectAfter = Duration.milliseconds(100)
    /// The longest that a client waits before it connects again.
    public var reconnectAtMostAfter = Duration.seconds(5)
    /// How long an orderly close waits for the last messages to leave.
    public var lingerAtClose = Duration.milliseconds(500)

    /// The limits that fit most runs.
    public static let standard = SocketLimits()

    /// Makes the standard limits, to be changed.
    public init() {}

    /// Probes without an answer that end a connection; Linux takes 1 to 127 and fails the connection for others.
    var probes: Int32 { min(127, max(1, probeWithin.wholeSeconds / probeEvery.wholeSeconds)) }
}

extension Duration {
    /// Whole seconds for the options of TCP; Linux takes 1 to 32767.
    var wholeSeconds: Int32 { min(32767, max(1, milliseconds / 1000)) }

    /// Whole milliseconds for libzmq's options.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        let total = Double(seconds) * 1000 + Double(attoseconds) / 1e15
        return Int32(min(max(total.rounded(.up), 0), Double(Int32.max)))
    }
}
