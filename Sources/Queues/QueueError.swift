import CZeroMQ

/// Why a socket could not be opened or a message not be sent.
public struct QueueError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure, for programs.
    public enum Code: String, Hashable, Sendable {
        /// Another process listens there already.
        case portInUse = "port-in-use"
        /// The endpoint cannot be used on this machine.
        case badEndpoint = "bad-endpoint"
        /// The socket is closed or closing.
        case closed = "closed"
        /// Too many messages wait to be sent; try again when some have left.
        case backlogFull = "backlog-full"
        /// The message is larger than the limits allow.
        case tooLarge = "too-large"
        /// The peer's connection is gone.
        case unknownPeer = "unknown-peer"
        /// A key is not one of 32 bytes.
        case badKey = "bad-key"
        /// The operating system or libzmq refused.
        case system = "system"
    }

    /// The kind of failure.
    public let code: Code
    /// What happened, without a full stop.
    public let what: String
    /// What would help.
    public let advice: String

    /// Describes one failure.
    public init(_ code: Code, _ what: String, advice: String) {
        self.code = code
        self.what = what
        self.advice = advice
    }

    /// One sentence for people.
    public var description: String { "\(what); \(advice)." }

    static var closed: QueueError { QueueError(.closed, "the socket is closed", advice: "open another one") }

    static func system(_ doing: String) -> QueueError {
        let code = zmq_errno()
        return QueueError(
            .system, "\(doing) failed (\(reason(code)))",
            advice: code == EMFILE || code == ENFILE
                ? "raise the limit of open files (`ulimit -n`)" : "see the reason in parentheses")
    }

    static func reason(_ code: Int32) -> String { String(cString: zmq_strerror(code)) }
}
