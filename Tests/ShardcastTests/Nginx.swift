import Foundation
import Synchronization

@testable import Shardcast

/// A real nginx with a configuration of its own, until `stop()`.
final class Nginx: Sendable {
    /// The program, where there is one: `scripts/nginx.sh` fetches it.
    static let program: String? = {
        let home = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? "\(NSHomeDirectory())/.cache"
        return [
            "/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/bin/nginx", "\(home)/apus/nginx/usr/sbin/nginx",
        ]
        .first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    let port: Int
    private let process: Mutex<Process>

    /// - Parameter server: What stands in the `server` block beside `listen`.
    /// - Parameter http: What stands beside the `server` block.
    init(_ scratch: Scratch, _ server: String, http: String = "", listen: String = "") async throws {
        let prefix = scratch("nginx-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(atPath: prefix, withIntermediateDirectories: true)
        port = try Self.freePort()
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(prefix)/\($0);" }
        let configuration = """
            daemon off; master_process off; pid \(prefix)/pid; error_log \(prefix)/error.log info;
            events { worker_connections 256; }
            http {
              access_log \(prefix)/access.log; \(temporary.joined(separator: " "))
              \(http)
              server { listen 127.0.0.1:\(port)\(listen); \(server) }
            }
            """
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: "\(prefix)/nginx.conf"))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.program ?? "/nonexistent")
        process.arguments = ["-p", prefix, "-e", "\(prefix)/error.log", "-c", "\(prefix)/nginx.conf"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = Mutex(process)
        let port = port
        try await eventually { (try? PlainSocket(port: port)) != nil }
    }

    deinit { stop() }

    func stop() {
        process.withLock { process in
            guard process.isRunning else { return }
            // Not SIGTERM, which a child of a worker thread inherits as blocked.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }

    /// Below the ports that the system gives to connections, one of which could take it before nginx listens.
    private static func freePort() throws -> Int {
        for _ in 0..<64 {
            let port = Int.random(in: 16_384..<32_768)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(port).bigEndian
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            let isBound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            if isBound { return port }
        }
        throw CocoaError(.fileReadUnknown)
    }
}
