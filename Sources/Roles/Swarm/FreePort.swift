import Foundation

/// Finds ports for a swarm on one machine.
enum FreePort {
    /// Ports below those that systems give to connections and to whoever asks for any port (from 32768 on Linux, 49152
    /// elsewhere): one of those could be gone before its process listens, or while that is started again.
    private static let candidates = 16_384..<32_768

    /// A TCP port that nobody listens on at the moment.
    static func any(host: String) throws -> Int {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        guard inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host, &address.sin_addr) == 1 else {
            throw RoleFailure(
                .badInput, "network.host \(host) is not an IPv4 address of this machine.",
                advice: "Use 127.0.0.1, 0.0.0.0 or an address of an interface, or name the ports.")
        }
        for _ in 0..<64 {
            let port = Int.random(in: candidates)
            if try isFree(port, at: address, host) { return port }
        }
        throw RoleFailure(
            .fault, "No port can be had on \(host): 64 of those from \(candidates.lowerBound) on are in use.",
            advice: "Name the ports in the run file: network.orchestrator_port and network.relay_port.")
    }

    private static func isFree(_ port: Int, at address: sockaddr_in, _ host: String) throws -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw failure(host) }
        defer { close(descriptor) }
        var address = address
        address.sin_port = UInt16(port).bigEndian
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isBound || errno == EADDRINUSE else { throw failure(host) }
        return isBound
    }

    private static func failure(_ host: String) -> RoleFailure {
        RoleFailure(
            .fault, "No port can be had on \(host): \(String(cString: strerror(errno))).",
            advice: "Check network.host in the run file.")
    }
}
