import CZeroMQ

/// One libzmq socket, with its errors as values.
///
/// Used by one thread at a time.
final class ZeroMQSocket {
    let pointer: UnsafeMutableRawPointer

    init(_ context: UnsafeMutableRawPointer, _ kind: Int32) throws(QueueError) {
        guard let pointer = zmq_socket(context, kind) else { throw QueueError.system("opening a socket") }
        self.pointer = pointer
    }

    /// Closes; what still waits in libzmq leaves within the linger time.
    func close() { zmq_close(pointer) }

    func set(_ option: Int32, _ value: Int32) throws(QueueError) {
        var value = value
        try check(zmq_setsockopt(pointer, option, &value, MemoryLayout<Int32>.size))
    }

    func setWide(_ option: Int32, _ value: Int64) throws(QueueError) {
        var value = value
        try check(zmq_setsockopt(pointer, option, &value, MemoryLayout<Int64>.size))
    }

    func set(_ option: Int32, _ value: [UInt8]) throws(QueueError) {
        try check(zmq_setsockopt(pointer, option, value, value.count))
    }

    private func check(_ result: Int32) throws(QueueError) {
        guard result == 0 else { throw QueueError.system("setting up a socket") }
    }

    /// The options that both ends of the network share.
    func setUp(_ limits: SocketLimits) throws(QueueError) {
        try setWide(ZMQ_MAXMSGSIZE, Int64(limits.frameBytes))
        try set(ZMQ_SNDHWM, limits.messagesPerConnection)
        try set(ZMQ_RCVHWM, limits.messagesPerConnection)
        try set(ZMQ_HANDSHAKE_IVL, limits.handshakeWithin.milliseconds)
        try set(ZMQ_RECONNECT_IVL, limits.reconnectAfter.milliseconds)
        try set(ZMQ_RECONNECT_IVL_MAX, limits.reconnectAtMostAfter.milliseconds)
        // The system finds lost connections. libzmq's own heartbeats (ZMQ_HEARTBEAT_IVL) would abort the process when one is
        // due on a connection that was lost while its reader was behind (libzmq issues 3937, 4364, 4767, all open).
        try set(ZMQ_TCP_KEEPALIVE, 1)
        try set(ZMQ_TCP_KEEPALIVE_IDLE, limits.probeEvery.wholeSeconds)
        try set(ZMQ_TCP_KEEPALIVE_INTVL, limits.probeEvery.wholeSeconds)
        try set(ZMQ_TCP_KEEPALIVE_CNT, limits.probes)
        try set(ZMQ_TCP_MAXRT, limits.probeWithin.milliseconds)
        try set(ZMQ_IPV6, 1)
        try set(ZMQ_LINGER, Int32(0))
    }

    func bind(_ endpoint: String) -> Bool { zmq_bind(pointer, endpoint) == 0 }

    func connect(_ endpoint: String) -> Bool { zmq_connect(pointer, endpoint) == 0 }

    func disconnect(_ endpoint: String) { zmq_disconnect(pointer, endpoint) }

    /// Starts reporting what happens to connections, and gives the socket to read the reports from.
    func monitor(_ context: UnsafeMutableRawPointer, _ events: Int32) throws(QueueError) -> ZeroMQSocket {
        let address = "inproc://apus.monitor"
        guard zmq_socket_monitor(pointer, address, events) == 0 else { throw QueueError.system("watching a socket") }
        let reports = try ZeroMQSocket(context, ZMQ_PAIR)
        // Without a bound here: libzmq's network thread would wait for us when the bound is reached.
        try reports.set(ZMQ_RCVHWM, Int32(0))
        try reports.set(ZMQ_LINGER, Int32(0))
        guard reports.connect(address) else { throw QueueError.system("watching a socket") }
        return reports
    }

    func stopMonitor() { zmq_socket_monitor(pointer, nil, 0) }

    /// What a non-blocking call came to.
    enum Outcome: Equatable {
        case done
        /// Nothing there to read, or no room to write.
        case wouldBlock
        /// The peer that was named is not connected.
        case noRoute
        /// The context is closing, or the socket is unusable.
        case failed
    }

    /// Sends one frame without waiting.
    func send(_ frame: UnsafeRawBufferPointer, more: Bool) -> Outcome {
        while true {
            let flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)
            if zmq_send(pointer, frame.baseAddress, frame.count, flags) >= 0 { return .done }
            switch zmq_errno() {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case EHOSTUNREACH: return .noRoute
            default: return .failed
            }
        }
    }

    /// Sends the frames of one message; libzmq takes all of them or none.
    func send(_ frames: Frames, after route: [UInt8]? = nil) -> Outcome {
        if let route {
            let outcome = route.withUnsafeBytes { send($0, more: true) }
            guard outcome == .done else { return outcome }
        }
        for (index, frame) in frames.enumerated() {
            let outcome = frame.withUnsafeBytes { send($0, more: index < frames.count - 1) }
            guard outcome == .done else { return outcome }
        }
        return .done
    }

    /// Reads one frame without waiting.
    func receive(into message: inout zmq_msg_t) -> Outcome {
        while true {
            if zmq_msg_recv(&message, pointer, ZMQ_DONTWAIT) >= 0 { return .done }
            switch zmq_errno() {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed
            }
        }
    }

    /// Reads a whole small message of a trusted sender inside this process.
    func receiveAll() -> Frames? {
        var frames: Frames = []
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        repeat {
            guard receive(into: &message) == .done else { return nil }
            frames.append([UInt8](message: &message))
        } while zmq_msg_more(&message) != 0
        return frames
    }
}

extension [UInt8] {
    /// Copies the content of a libzmq message.
    init(message: inout zmq_msg_t) {
        self.init(UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: zmq_msg_size(&message)))
    }
}
