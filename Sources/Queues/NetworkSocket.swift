#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Questions about a connection's file descriptor that libzmq has no answer for.
enum NetworkSocket {
    /// The numeric address of the other end; empty if there is none (any more).
    static func peerAddress(_ descriptor: Int32) -> String {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var host = [CChar](repeating: 0, count: 128)
        let found = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getpeername(descriptor, address, &length) == 0
                    && getnameinfo(address, length, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST) == 0
            }
        }
        guard found else { return "" }
        let text = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return plain(text)
    }

    /// An address without the prefix that an IPv4 client gets from an IPv6 listener.
    static func plain(_ address: String) -> String {
        address.hasPrefix("::ffff:") ? String(address.dropFirst(7)) : address
    }

    /// Ends a connection in both directions; libzmq notices and cleans up.
    static func cut(_ descriptor: Int32) {
        _ = shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// The bytes that have arrived on a connection and been read from it; nil where the system does not count them.
    static func receivedBytes(_ descriptor: Int32) -> UInt64? {
        #if os(Linux)
            // `tcpi_bytes_received` lies 128 bytes into the kernel's `tcp_info` (Linux 4.1 and later); the C
            // library's declaration of the structure ends before it.
            var information = [UInt8](repeating: 0, count: 256)
            var length = socklen_t(information.count)
            guard getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &information, &length) == 0, length >= 136
            else { return nil }
            let arrived = information.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 128, as: UInt64.self) }
            var unread: Int32 = 0
            guard ioctl(descriptor, UInt(FIONREAD), &unread) == 0 else { return nil }
            return arrived &- UInt64(max(unread, 0))
        #else
            return nil
        #endif
    }
}
