import ArgumentParser
import Foundation
import Identity
import Roles
import Shardcast

/// `apus weights fetch`.
struct WeightsFetchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch", abstract: "Fetch the newest version, or a given one, and check every byte.",
        discussion: """
            An earlier version in the directory is the base if that saves bytes. What was interrupted goes on where it \
            was. Ends with one JSON line.

              apus weights fetch --from http://lab.example:7800 --trust apus1:… --out versions
            """)

    @Option(help: ArgumentHelp("Relays or any other servers of the origin directory.", valueName: "url[,url…]"))
    var from: String

    @Option(help: ArgumentHelp("The publisher's key, apus1:… or its Ed25519 part.", valueName: "key"))
    var trust: String

    @Option(help: ArgumentHelp("Where versions are kept, each in a directory of its own.", valueName: "dir"))
    var out: String

    @Option(help: ArgumentHelp("The version; the newest if not given.", valueName: "number"))
    var version: UInt64?

    @Option(help: ArgumentHelp("The token to show to relays whose address has none.", valueName: "file"))
    var tokenFile: String?

    @Option(help: ArgumentHelp("When to give up.", valueName: "seconds"))
    var timeout = 3600

    @OptionGroup var logging: LogOptions

    func validate() throws {
        guard PublicKey(text: trust) != nil else {
            throw ValidationError("--trust must be a line apus1:… or 64 hexadecimal digits.")
        }
        guard timeout > 0 else { throw ValidationError("--timeout is at least 1 second.") }
    }

    private struct Report: Encodable {
        let version: UInt64
        let path: String
        let bytesTransferred: UInt64
        let seconds: Double
    }

    func run() async throws {
        guard let key = PublicKey(text: trust) else { return }
        let began = ContinuousClock.now
        let token = try tokenFile.flatMap { try JoinTokens.tokens(inFile: $0).first }
        let client = try WeightClient(
            configuration: WeightClientConfiguration(
                upstreams: try UpstreamAddress.list(from).map { $0.showing(token) }, trust: key, run: nil,
                directory: out),
            logger: logging.logger("weights"))
        let screen = FetchScreen()
        do {
            let limit = Duration.seconds(timeout)
            let fetched =
                if let version {
                    try await client.fetch(version: version, timeout: limit, progress: screen.show)
                } else {
                    try await client.fetchLatest(timeout: limit, progress: screen.show)
                }
            screen.end()
            let path = URL(fileURLWithPath: fetched.path).path
            try Output.line(
                Report(
                    version: fetched.version, path: path, bytesTransferred: client.bytesReceived,
                    seconds: began.duration(to: .now) / .seconds(1)))
            await client.shutDown()
        } catch {
            screen.end()
            await client.shutDown()
            throw error
        }
    }
}
