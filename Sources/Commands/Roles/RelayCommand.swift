public import ArgumentParser
import Identity
import Roles
import Shardcast

/// `relay --listen HOST:PORT`.
public struct RelayCommand: AsyncParsableCommand {
    /// How the command introduces itself.
    public static let configuration = CommandConfiguration(
        commandName: "relay",
        abstract: "Serves policy versions: from the trainer's origin directory, or as a cache of other relays.",
        discussion: """
            Everything is immutable, signed and named by its hash, so a relay needs no trust, and clients check every \
            byte. It serves nothing that it did not check itself.

              relay --listen 0.0.0.0:7800 --origin runs/demo/weights --trust apus1:…
              relay --listen 0.0.0.0:7801 --upstream http://lab.example:7800 --cache /var/cache/apus --trust apus1:…

            With --tokens FILE it serves only those who show one of the tokens in it. docs/fan-out.md says how to put a \
            relay, or any web server in its place, behind nginx or a CDN.
            """, version: Software.version)

    @Option(help: ArgumentHelp("Where to listen.", valueName: "host:port"))
    var listen: String

    @Option(help: ArgumentHelp("Serve this directory, which a trainer writes.", valueName: "dir"))
    var origin: String?

    @Option(help: ArgumentHelp("Cache these relays, separated by commas.", valueName: "urls"))
    var upstream: String?

    @Option(help: ArgumentHelp("Where a caching relay keeps what it checked.", valueName: "dir"))
    var cache: String?

    @Option(help: ArgumentHelp("The lab's public key, apus1:… or its Ed25519 part.", valueName: "key"))
    var trust: String

    @Option(
        help: ArgumentHelp("Serve only those who show one of the tokens in this file, one a line.", valueName: "file"))
    var tokens: String?

    @Option(help: ArgumentHelp("The token to show to upstreams whose address has none.", valueName: "file"))
    var upstreamToken: String?

    @OptionGroup var limits: RelayLimitOptions
    @OptionGroup var logging: LogOptions

    /// The command line's defaults.
    public init() {}

    /// Checks what the parser cannot.
    public func validate() throws {
        switch (origin, upstream, cache) {
        case (.some, nil, nil), (nil, .some, .some): break
        default: throw ValidationError("Give either --origin DIR, or --upstream URL[,URL…] with --cache DIR.")
        }
        guard address != nil else { throw ValidationError("--listen must be HOST:PORT, for example 0.0.0.0:7800.") }
        guard trustedKey != nil else {
            throw ValidationError("--trust must be a line apus1:… or 64 hexadecimal digits.")
        }
    }

    private var address: (host: String, port: Int)? {
        guard let colon = listen.lastIndex(of: ":"), let port = Int(listen[listen.index(after: colon)...]),
            (0...65_535).contains(port), colon > listen.startIndex
        else { return nil }
        return (String(listen[..<colon]), port)
    }

    private var trustedKey: PublicKey? { PublicKey(text: trust) }

    /// Serves until told to stop.
    public func run() async throws {
        guard let (host, port) = address, let key = trustedKey else { return }
        let source: RelayConfiguration.Source
        if let origin {
            source = .origin(directory: origin)
        } else {
            let token = try upstreamToken.flatMap { try JoinTokens.tokens(inFile: $0).first }
            source = .upstreams(
                try UpstreamAddress.list(upstream ?? "").map { $0.showing(token) }, cache: cache ?? "")
        }
        let log = logging.logger("relay")
        var configuration = RelayConfiguration(host: host, port: port, source: source, trust: key)
        configuration.tokens = try tokens.map { JoinTokens(try JoinTokens.tokens(inFile: $0)) }
        limits.apply(to: &configuration.limits)
        let server = try RelayServer(configuration: configuration, logger: log)
        try await Lifetime.run("relay", log: log) { try await server.run() }
    }
}
