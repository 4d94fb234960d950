import Identity

/// What a relay serves, where, and within which limits.
public struct RelayConfiguration: Sendable {
    /// Where the bytes come from.
    public enum Source: Sendable {
        /// A directory that an ``OriginDirectory`` writes, maybe in another process, maybe only later.
        case origin(directory: String)
        /// Other relays; what was checked is kept in a directory of its own.
        case upstreams([UpstreamAddress], cache: String)
    }

    /// Address to listen on, for example `127.0.0.1` or `::`.
    public var host: String
    /// Port to listen on; 0 takes any free one (see ``RelayServer/listeningPort()``).
    public var port: Int
    /// Where the bytes come from.
    public var source: Source
    /// The key that signs the manifests.
    public var trust: PublicKey
    /// The run to serve; nil takes the run of the first manifest signed by the key.
    public var run: Hash256?
    /// Who may fetch; nil lets everybody.
    public var tokens: JoinTokens?
    /// The limits.
    public var limits = RelayLimits()
    /// How often an origin directory is looked at for a new `latest` while versions follow each other quickly; less often, at
    /// least four times a second, where they are slow.
    public var originPoll: Duration = .milliseconds(4)
    /// Whether a caching relay fetches a new version before anybody asks for it.
    public var prefetches = true

    /// Creates a configuration with default limits.
    public init(host: String = "127.0.0.1", port: Int = 0, source: Source, trust: PublicKey, run: Hash256? = nil) {
        self.host = host
        self.port = port
        self.source = source
        self.trust = trust
        self.run = run
    }
}
