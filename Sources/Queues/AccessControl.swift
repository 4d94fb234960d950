import CZeroMQ
import Identity

/// Decides who may connect: ZeroMQ's authentication protocol (RFC 27), version 1.0, for CURVE only.
///
/// Without a handler a CURVE server admits every key, so a router must not listen before this exists.
struct AccessControl {
    private let socket: ZeroMQSocket
    private let authorize: @Sendable (_ curveKey: [UInt8], _ address: String) -> Bool

    init(
        _ context: UnsafeMutableRawPointer, authorize: @escaping @Sendable ([UInt8], String) -> Bool
    ) throws(QueueError) {
        socket = try ZeroMQSocket(context, ZMQ_REP)
        self.authorize = authorize
        try socket.set(ZMQ_LINGER, Int32(0))
        guard socket.bind("inproc://zeromq.zap.01") else {
            let error = QueueError.system("starting the access control")
            socket.close()
            throw error
        }
    }

    var pointer: UnsafeMutableRawPointer { socket.pointer }

    func close() { socket.close() }

    /// Answers all waiting questions; calls `onRefusal` for each client that is not admitted.
    func answerAll(onRefusal: (_ curveKey: [UInt8], _ address: String) -> Void) {
        while let request = socket.receiveAll() {
            let (code, text, user) = decide(request, onRefusal: onRefusal)
            let requestID = request.count > 1 ? request[1] : []
            let reply: Frames = [
                [UInt8]("1.0".utf8), requestID, [UInt8](code.utf8), [UInt8](text.utf8), [UInt8](user.utf8), [],
            ]
            guard socket.send(reply) == .done else { return }
        }
    }

    /// Frames: version, request id, domain, address, routing id, mechanism, credentials.
    private func decide(_ request: Frames, onRefusal: ([UInt8], String) -> Void) -> (String, String, String) {
        guard request.count == 7, request[0] == [UInt8]("1.0".utf8), request[5] == [UInt8]("CURVE".utf8),
            request[6].count == CurveKey.byteCount
        else { return ("400", "only CURVE is admitted", "") }
        let address = NetworkSocket.plain(String(decoding: request[3], as: UTF8.self))
        guard authorize(request[6], address) else {
            onRefusal(request[6], address)
            return ("400", "this key is not admitted", "")
        }
        return ("200", "", Hexadecimal.encode(request[6]))
    }
}
