import ArgumentParser
import Foundation
import Roles
import Shardcast

/// `apus bench relay`.
struct RelayBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relay",
        abstract: "Time a publication until the last client has it, all on this machine's loopback.",
        discussion: """
            Publisher, relays and clients share one process and its cores, so this measures their arithmetic (hashes, \
            disks, copies), not a network. docs/fan-out.md has measurements over shaped links.

              apus bench relay --megabytes 64 --relays 1 --clients 4
            """)

    @Option(parsing: .unconditional, help: "Size of each version.") var megabytes: Double = 64
    @Option(parsing: .unconditional, help: "Versions; medians are printed.") var rounds: Int = 5
    @Option(parsing: .unconditional, help: "Clients that wait for each version.") var clients: Int = 1
    @Option(parsing: .unconditional, help: "Caching relays between, one behind the other.") var relays: Int = 0

    func validate() throws {
        guard (0.001...16_384).contains(megabytes), (1...1000).contains(rounds), (1...256).contains(clients),
            (0...16).contains(relays)
        else {
            throw ValidationError(
                "--megabytes is from 0.001 to 16384, --rounds from 1 to 1000, --clients from 1 to 256, --relays from 0 to 16."
            )
        }
    }

    func run() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "apus-bench-relay-\(ProcessInfo.processInfo.processIdentifier)")
        defer { try? FileManager.default.removeItem(at: directory) }
        try Output.line(
            try await RelayBenchmark(directory: directory.path).run(
                bytes: Int(megabytes * 1e6), rounds: rounds, clients: clients, relays: relays))
    }
}
