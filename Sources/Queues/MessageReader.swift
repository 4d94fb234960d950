import CZeroMQ

/// Reads messages of strangers: counts frames and bytes while they come and keeps none of a message that is too large.
struct MessageReader {
    let limits: SocketLimits

    /// What the transport knows about a message, apart from its content.
    struct Origin {
        /// The routing id, for a router; empty otherwise.
        var route: [UInt8] = []
        /// The connection's file descriptor, −1 if unknown.
        var descriptor: Int32 = -1
        /// The hexadecimal CURVE key that the access control admitted.
        var userID = ""
        var address = ""
    }

    enum Result {
        case message(Origin, Frames)
        /// A message was read and thrown away.
        case refused(Origin, DropReason)
        case nothing
        case failed
    }

    /// Reads one message if there is one.
    func read(from socket: ZeroMQSocket, hasRoute: Bool) -> Result {
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        var origin = Origin()
        var frames: Frames = []
        var bytes = 0
        var reason: DropReason?
        var index = 0
        repeat {
            switch socket.receive(into: &message) {
            case .done: break
            case .wouldBlock: return .nothing
            case .noRoute, .failed: return .failed
            }
            defer { index += 1 }
            if hasRoute && index == 0 {
                origin.route = [UInt8](message: &message)
                continue
            }
            if frames.isEmpty && reason == nil {
                origin.descriptor = zmq_msg_get(&message, ZMQ_SRCFD)
                origin.userID = Self.property(&message, "User-Id")
                origin.address = NetworkSocket.plain(Self.property(&message, "Peer-Address"))
            }
            bytes += zmq_msg_size(&message)
            if bytes > limits.messageBytes { reason = .tooManyBytes }
            if frames.count == limits.frames { reason = .tooManyFrames }
            if reason == nil {
                frames.append([UInt8](message: &message))
            } else {
                frames = []
            }
        } while zmq_msg_more(&message) != 0
        if let reason { return .refused(origin, reason) }
        return frames.isEmpty ? .refused(origin, .noFrame) : .message(origin, frames)
    }

    private static func property(_ message: inout zmq_msg_t, _ name: String) -> String {
        zmq_msg_gets(&message, name).map { String(cString: $0) } ?? ""
    }
}

/// Why a message did not reach the program, or did not leave it.
public enum DropReason: String, Hashable, Sendable, CaseIterable {
    /// It has more frames than allowed.
    case tooManyFrames = "too-many-frames"
    /// Its frames together are larger than allowed.
    case tooManyBytes = "too-many-bytes"
    /// It has no content.
    case noFrame = "no-frame"
    /// Its sender chose a routing id, which only the router may.
    case chosenRoute = "chosen-route"
    /// Its sender's key is not known to the access control.
    case noKey = "no-key"
    /// Its receiver's connection is gone.
    case peerGone = "peer-gone"
    /// Its receiver does not read what it is sent.
    case peerTooSlow = "peer-too-slow"
}
