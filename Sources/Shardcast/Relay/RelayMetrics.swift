import Synchronization

/// What a relay counts about itself; all labels are from fixed sets.
final class RelayMetrics: Sendable {
    enum Route: String, CaseIterable, Sendable { case latest, manifest, shard, status, other }

    private struct Counts {
        var requests: [String: UInt64] = [:]
        var bytesSent: UInt64 = 0
        var refusedConnections: UInt64 = 0
        var cutConnections: UInt64 = 0
        var failures: [String: UInt64] = [:]
    }

    private let counts = Mutex(Counts())
    private let openConnections = Atomic<Int>(0)

    func countRequest(_ route: Route, status: Int) {
        let label = "route=\"\(route.rawValue)\",status=\"\(status)\""
        counts.withLock { $0.requests[label, default: 0] += 1 }
    }
    func countSent(_ bytes: Int) { counts.withLock { $0.bytesSent += UInt64(bytes) } }
    func countRefusedConnection() { counts.withLock { $0.refusedConnections += 1 } }
    func countCutConnection() { counts.withLock { $0.cutConnections += 1 } }
    func countFailure(_ kind: ShardcastError.Kind) { counts.withLock { $0.failures[kind.rawValue, default: 0] += 1 } }
    func connectionOpened() { openConnections.add(1, ordering: .relaxed) }
    func connectionClosed() { openConnections.subtract(1, ordering: .relaxed) }

    /// The Prometheus text format, version 0.0.4.
    func text(version: UInt64?, waiters: Int, bytesReceived: UInt64?) -> String {
        let counts = counts.withLock { $0 }
        var lines: [String] = []
        func family(_ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: String)]) {
            lines.append("# HELP apus_relay_\(name) \(help)")
            lines.append("# TYPE apus_relay_\(name) \(type)")
            for sample in samples {
                lines.append("apus_relay_\(name)\(sample.labels.isEmpty ? "" : "{\(sample.labels)}") \(sample.value)")
            }
        }
        family(
            "requests_total", "counter", "Requests answered.",
            counts.requests.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") })
        family("sent_bytes_total", "counter", "Bytes of bodies sent.", [("", "\(counts.bytesSent)")])
        if let bytesReceived {
            family(
                "received_bytes_total", "counter", "Bytes of bodies received from upstreams.",
                [("", "\(bytesReceived)")])
        }
        family(
            "failures_total", "counter", "Requests that ended in an error of ours or of an upstream.",
            counts.failures.sorted { $0.key < $1.key }.map { ("kind=\"\($0.key)\"", "\($0.value)") })
        family(
            "connections", "gauge", "Open connections.", [("", "\(openConnections.load(ordering: .relaxed))")])
        family(
            "refused_connections_total", "counter", "Connections closed because their address had too many.",
            [("", "\(counts.refusedConnections)")])
        family(
            "cut_connections_total", "counter", "Connections closed because a client did not take its response.",
            [("", "\(counts.cutConnections)")])
        family("waiters", "gauge", "Long polls standing.", [("", "\(waiters)")])
        family("version", "gauge", "Newest version, -1 before the first.", [("", version.map { "\($0)" } ?? "-1")])
        return lines.joined(separator: "\n") + "\n"
    }
}
