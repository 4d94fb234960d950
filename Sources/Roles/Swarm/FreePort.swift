import Foundation

/// Finds ports for a swarm on one machine.
enum FreePort {
    /// A TCP port that nobody listens on at the moment.
    static func any(host: String) throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw failure(host) }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        guard inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host, &address.sin_addr) == 1 else {
            throw RoleFailure(
                .badInput, "network.host \(host) is not an IPv4 address of this machine.",
                advice: "Use 127.0.0.1, 0.0.0.0 or an address of an interface, or name the ports.")
        }
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard isBound else { throw failure(host) }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static func failure(_ host: String) -> RoleFailure {
        RoleFailure(
            .fault, "No port can be had on \(host): \(String(cString: strerror(errno))).",
            advice: "Check network.host in the run file.")
    }
}
