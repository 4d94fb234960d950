import CZeroMQ

/// Owns a libzmq context and closes what was opened in it.
///
/// Each socket of Apus has a context of its own, so that its access control and its end concern nobody else.
final class ZeroMQContext {
    let pointer: UnsafeMutableRawPointer
    private var closers: [() -> Void] = []

    init() throws(QueueError) {
        guard let pointer = zmq_ctx_new() else { throw QueueError.system("starting ZeroMQ") }
        self.pointer = pointer
    }

    /// Registers something to be closed; the last registered is closed first.
    func atClose(_ closer: @escaping () -> Void) { closers.append(closer) }

    /// Closes everything; waits for the linger time of sockets that still have messages to send.
    func close() {
        while let closer = closers.popLast() { closer() }
        while zmq_ctx_term(pointer) != 0 && zmq_errno() == EINTR {}
    }
}
