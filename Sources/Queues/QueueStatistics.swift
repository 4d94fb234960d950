/// What a socket has done since it was opened.
public struct QueueStatistics: Hashable, Sendable {
    /// Messages handed to the program.
    public var received = 0
    /// Bytes of those messages.
    public var receivedBytes = 0
    /// Messages handed to libzmq.
    public var sent = 0
    /// Bytes of those messages.
    public var sentBytes = 0
    /// Messages that were thrown away, by reason.
    public var dropped: [DropReason: Int] = [:]
    /// Clients that the access control refused.
    public var refusedKeys = 0
    /// Connections that were cut, by reason.
    public var cut: [CutReason: Int] = [:]
    /// Handshakes that broke off.
    public var brokenHandshakes = 0
    /// Connections open now.
    public var connections = 0

    /// Nothing has happened yet.
    public init() {}
}

/// Why a router cut a connection.
public enum CutReason: String, Hashable, Sendable, CaseIterable {
    /// There are too many in all.
    case tooManyConnections = "too-many-connections"
    /// There are too many from its address.
    case tooManyFromAddress = "too-many-from-address"
    /// Its address connects too often.
    case tooFrequent = "too-frequent"
    /// It stayed without a message for too long.
    case silent = "silent"
    /// It sends a message without an end.
    case endlessMessage = "endless-message"
    /// It sent a message that no honest client sends.
    case misbehaved = "misbehaved"
    /// It does not read what it is sent.
    case tooSlow = "too-slow"
}
