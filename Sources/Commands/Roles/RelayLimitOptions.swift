import ArgumentParser
import Shardcast

/// What clients may use of a relay; the defaults suit one that faces the open network directly.
struct RelayLimitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Disk space of the cache.", valueName: "gib"))
    var cacheLimit: Double = 256

    @Option(help: ArgumentHelp("Open connections in all.", valueName: "number"))
    var connections: Int = 4096

    @Option(
        help: ArgumentHelp(
            "Open connections of one address; raise it behind a proxy, whose address all clients have.",
            valueName: "number"))
    var connectionsPerAddress: Int = 256

    @Option(help: ArgumentHelp("Requests of one address a second; raise it behind a proxy.", valueName: "number"))
    var requestsPerSecond: Double = 500

    @Option(help: ArgumentHelp("Megabytes to one address a second; 0 is as fast as the line.", valueName: "mb"))
    var megabytesPerSecond: Double = 0

    func validate() throws {
        guard (0.001...1e6).contains(cacheLimit), (1...1_000_000).contains(connections),
            (1...1_000_000).contains(connectionsPerAddress), (1...1e9).contains(requestsPerSecond),
            megabytesPerSecond == 0 || (0.1...1e6).contains(megabytesPerSecond)
        else {
            throw ValidationError(
                "Limits are positive: --cache-limit from 0.001, connections and --requests-per-second from 1, "
                    + "--megabytes-per-second from 0.1 (or 0).")
        }
    }

    func apply(to limits: inout RelayLimits) {
        limits.cacheBytes = UInt64(cacheLimit * Double(1 << 30))
        limits.connections = connections
        limits.connectionsPerAddress = connectionsPerAddress
        limits.requestsPerSecond = requestsPerSecond
        limits.requestBurst = requestsPerSecond * 4
        limits.bytesPerSecond = UInt64(megabytesPerSecond * 1e6)
    }
}
