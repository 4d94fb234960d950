import CZeroMQ

/// Turns libzmq's refusal to listen into a sentence that says what to do.
enum BindFault {
    static func explain(_ endpoint: String, _ code: Int32) -> QueueError {
        let port = endpoint.split(separator: ":").last.map(String.init) ?? ""
        switch code {
        case EADDRINUSE:
            return QueueError(
                .portInUse, "port \(port) is in use, so nothing can listen on \(endpoint)",
                advice: "stop the process that has it (`ss -ltnp sport = :\(port)` names it), or choose another port")
        case EACCES:
            return QueueError(
                .badEndpoint, "this user may not listen on \(endpoint)", advice: "choose a port from 1024 upwards")
        case EADDRNOTAVAIL, ENODEV:
            return QueueError(
                .badEndpoint, "no network interface of this machine has the address in \(endpoint)",
                advice: "listen on tcp://0.0.0.0:\(port), or on an address that `ip address` shows")
        default:
            return QueueError(
                .badEndpoint, "nothing can listen on \(endpoint) (\(QueueError.reason(code)))",
                advice: "write it as tcp://ADDRESS:PORT")
        }
    }

    /// libzmq takes the lower 16 bits of a port that is too large, and other transports than TCP.
    static func check(_ endpoint: String, allowsAnyPort: Bool) throws(QueueError) {
        let port = endpoint.split(separator: ":", omittingEmptySubsequences: false).last ?? ""
        let isNumber = UInt16(port).map { allowsAnyPort || $0 > 0 } ?? false
        guard endpoint.hasPrefix("tcp://"), isNumber || (allowsAnyPort && port == "*") else {
            throw QueueError(
                .badEndpoint, "\(endpoint) is no endpoint", advice: "write it as tcp://ADDRESS:PORT, PORT at most 65535"
            )
        }
    }

    static func port(of endpoint: String) -> Int {
        endpoint.split(separator: ":").last.flatMap { Int($0) } ?? 0
    }
}

extension ZeroMQSocket {
    /// Where it listens, with the real port.
    var lastEndpoint: String {
        var text = [UInt8](repeating: 0, count: 512)
        var length = text.count
        guard zmq_getsockopt(pointer, ZMQ_LAST_ENDPOINT, &text, &length) == 0 else { return "" }
        return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
    }
}
