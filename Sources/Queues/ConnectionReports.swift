import CZeroMQ

/// What libzmq reports about connections.
enum ConnectionReport {
    case accepted(descriptor: Int32)
    case handshakeDone
    case disconnected(descriptor: Int32)
    case retrying(milliseconds: Int32)
    /// The other side refused the key (status of its access control).
    case refused(status: Int32)
    case handshakeBroken(reason: String)

    /// The events to subscribe to.
    static let wanted =
        ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED
        | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
        | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH

    /// Reads a report: two bytes of event number and four of value, in this machine's order.
    init?(_ frames: Frames) {
        guard let first = frames.first, first.count == 6 else { return nil }
        let (event, value) = first.withUnsafeBytes {
            (
                Int32($0.loadUnaligned(as: UInt16.self)),
                Int32(bitPattern: $0.loadUnaligned(fromByteOffset: 2, as: UInt32.self))
            )
        }
        switch event {
        case ZMQ_EVENT_ACCEPTED: self = .accepted(descriptor: value)
        case ZMQ_EVENT_DISCONNECTED: self = .disconnected(descriptor: value)
        case ZMQ_EVENT_CONNECT_RETRIED: self = .retrying(milliseconds: value)
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: self = .handshakeDone
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: self = .refused(status: value)
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            self = .handshakeBroken(reason: "the connection ended during the handshake (\(QueueError.reason(value)))")
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: self = .handshakeBroken(reason: Self.protocolFault(value))
        default: return nil
        }
    }

    private static func protocolFault(_ value: Int32) -> String {
        switch value {
        case ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC: "the two sides' keys do not fit together"
        case ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH: "the other side does not use CURVE"
        default: "the other side does not speak ZeroMQ's protocol (0x\(String(value, radix: 16)))"
        }
    }
}
