import NIOCore

/// Whom a connection is counted for: an IPv4 address, or the network of an IPv6 address.
///
/// One household or server has 2^64 IPv6 addresses, so single ones are no measure of anything.
enum ClientName {
    private static let prefixBytes = 8
    private static let mapped: [UInt8] = Array(repeating: 0, count: 10) + [0xFF, 0xFF]

    static func of(_ address: SocketAddress?) -> String {
        guard case .v6(let network)? = address else { return address?.ipAddress ?? "local" }
        let bytes = withUnsafeBytes(of: network.address.sin6_addr) { Array($0) }
        // An IPv4 client of a socket that takes both.
        if bytes.prefix(mapped.count).elementsEqual(mapped) {
            return bytes.suffix(4).map { "\($0)" }.joined(separator: ".")
        }
        let groups = stride(from: 0, to: prefixBytes, by: 2).map {
            String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16)
        }
        return groups.joined(separator: ":") + "::"
    }
}
