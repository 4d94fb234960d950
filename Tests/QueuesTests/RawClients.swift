import CZeroMQ
import Foundation
import Identity
import Synchronization

@testable import Queues

/// A libzmq client without our manners.
final class PlainClient {
    private let context = zmq_ctx_new()
    private let socket: UnsafeMutableRawPointer

    /// - Parameter heartbeatTTL: milliseconds after which the server shall give this client up; it is told with a PING
    ///   every 50 ms.
    init(
        _ endpoint: String, keys: CurveKey?, serverKey: [UInt8]?, route: [UInt8]? = nil, heartbeatTTL: Int32? = nil
    ) throws {
        guard let socket = zmq_socket(context, ZMQ_DEALER) else { throw QueueError.system("opening") }
        self.socket = socket
        var linger: Int32 = 0
        zmq_setsockopt(socket, ZMQ_LINGER, &linger, 4)
        if let keys, let serverKey {
            zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, serverKey, 32)
            zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys.publicKey, 32)
            zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys.secretKey, 32)
        }
        if let route { zmq_setsockopt(socket, ZMQ_ROUTING_ID, route, route.count) }
        if var heartbeatTTL {
            var every: Int32 = 50
            var within: Int32 = 60_000
            zmq_setsockopt(socket, ZMQ_HEARTBEAT_IVL, &every, 4)
            zmq_setsockopt(socket, ZMQ_HEARTBEAT_TTL, &heartbeatTTL, 4)
            zmq_setsockopt(socket, ZMQ_HEARTBEAT_TIMEOUT, &within, 4)
        }
        guard zmq_connect(socket, endpoint) == 0 else { throw QueueError.system("connecting") }
    }

    func send(_ frames: Frames) {
        for (index, frame) in frames.enumerated() {
            zmq_send(socket, frame, frame.count, index < frames.count - 1 ? ZMQ_SNDMORE : 0)
        }
    }

    func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 1000)
        let count = zmq_recv(socket, &buffer, buffer.count, ZMQ_DONTWAIT)
        return count < 0 ? nil : [UInt8](buffer[..<Int(count)])
    }

    func close() {
        zmq_close(socket)
        zmq_ctx_term(context)
    }
}

/// A bare TCP connection to a port of this machine.
final class RawStream {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = connectedSocket(port)
        guard descriptor >= 0 else { throw QueueError.system("connecting") }
    }

    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    /// Reads until the other side hangs up.
    func waitForEnd(atMostMilliseconds limit: Int32 = 10_000) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while poll(&item, 1, limit) > 0, Glibc.read(descriptor, &buffer, buffer.count) > 0 {}
    }

    func close() { _ = Glibc.close(descriptor) }
}

/// Passes bytes on to a port, slowly; one connection after another.
final class SlowProxy: Sendable {
    let port: Int
    private let listener: Int32
    private let isClosed = Atomic<Bool>(false)

    init(to target: Int, bytesPerSecond: Int) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(listener, $0, length)
                _ = getsockname(listener, $0, &length)
            }
        }
        listen(listener, 8)
        port = Int(UInt16(bigEndian: address.sin_port))
        try SocketThread.start { [self] in
            while !isClosed.load(ordering: .acquiring) {
                let client = accept(listener, nil, nil)
                if client < 0 { break }
                let server = connectedSocket(target)
                pass(client, server, bytesPerSecond)
                Glibc.close(client)
                Glibc.close(server)
            }
            Glibc.close(listener)
        }
    }

    private func pass(_ client: Int32, _ server: Int32, _ bytesPerSecond: Int) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while !isClosed.load(ordering: .acquiring) {
            var items = [pollfd(fd: client, events: Int16(POLLIN), revents: 0)]
            items.append(pollfd(fd: server, events: Int16(POLLIN), revents: 0))
            if poll(&items, 2, 100) < 0 { return }
            for (from, to) in [(0, server), (1, client)] where items[from].revents != 0 {
                let count = Glibc.read(items[from].fd, &buffer, buffer.count)
                guard count > 0, Glibc.send(to, buffer, count, Int32(MSG_NOSIGNAL)) == count else { return }
                usleep(UInt32(count * 1_000_000 / bytesPerSecond))
            }
        }
    }

    func close() {
        isClosed.store(true, ordering: .releasing)
        shutdown(listener, Int32(SHUT_RDWR))
    }
}

private func loopback(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
}

private func connectedSocket(_ port: Int) -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = loopback(port)
    let result = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard result == 0 else {
        close(descriptor)
        return -1
    }
    return descriptor
}

extension NetworkSocket {
    /// Says whether this kernel counts the bytes of a connection.
    static var countsBytes: Bool {
        guard let stream = try? SlowProxy(to: 1, bytesPerSecond: 1) else { return false }
        defer { stream.close() }
        let descriptor = connectedSocket(stream.port)
        defer { _ = Glibc.close(descriptor) }
        return receivedBytes(descriptor) != nil
    }
}
