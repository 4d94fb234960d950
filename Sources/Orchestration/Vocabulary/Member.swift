public import Identity

/// What a member does for the run.
public enum Role: String, Sendable, Hashable, Codable {
    /// Generates groups; untrusted.
    case worker
    /// Replays groups; semi-trusted.
    case verifier
    /// Makes optimizer steps; the lab's own.
    case trainer
}

/// The driver's name for one connection; never reused while the driver lives.
public struct ConnectionID: Hashable, Comparable, Sendable {
    /// The number that the driver gave.
    public let number: UInt64

    /// Names a connection.
    public init(_ number: UInt64) {
        self.number = number
    }

    /// Compares by number.
    public static func < (left: ConnectionID, right: ConnectionID) -> Bool { left.number < right.number }
}

/// Where an answer goes: the connection, and the message that it answers.
public struct Correspondent: Hashable, Sendable {
    /// The connection.
    public let connection: ConnectionID
    /// The id of the message that is answered; 0 for a message of our own accord.
    public let message: UInt64

    /// Names a connection and the message on it.
    public init(_ connection: ConnectionID, message: UInt64 = 0) {
        self.connection = connection
        self.message = message
    }
}

/// A member's first message, after the driver checked key, signature, run, schema and arithmetic.
public struct Hello: Sendable, Hashable {
    /// The longest name of an engine kept, in UTF-8 bytes.
    static let maximumEngineBytes = 64

    /// The member's Ed25519 key: who it is.
    public let key: PublicKey
    /// What it wants to do.
    public let role: Role
    /// A name for people.
    public let name: String
    /// SHA-256 of the invitation's token, where one was shown.
    public let invitation: Hash256?
    /// Of a trainer: the last step that its newest STABLE checkpoint covers.
    public let resumeStep: UInt64
    /// A random number that the member's process drew at its start, 0 where it did not say: another one means that the
    /// earlier process is gone, with all that it held.
    public let instance: UInt64
    /// Of a worker: the engine that it generates with, where that is not the canonical arithmetic; else empty.
    public let engine: String

    /// Introduces a member.
    public init(
        key: PublicKey, role: Role, name: String = "", invitation: Hash256? = nil, resumeStep: UInt64 = 0,
        instance: UInt64 = 0, engine: String = ""
    ) {
        self.key = key
        self.role = role
        self.name = bounded(name, 64)
        self.invitation = invitation
        self.resumeStep = resumeStep
        self.instance = instance
        self.engine = bounded(engine, Self.maximumEngineBytes)
    }
}
