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

    /// What one stranger, and all together, may use.
    public struct Limits: Sendable {
        /// Open connections in all; more wait in the kernel's queue.
        public var connections = 1024
        /// Open connections of one address; more are closed, so raise it behind a proxy.
        public var connectionsPerAddress = 256
        /// Long polls standing at the same time; more are answered 503.
        public var waiters = 512
        /// The longest time that a long poll may ask for.
        public var longestWait: Duration = .seconds(60)
        /// A connection on which no complete request arrives for this long is closed, however busily it trickles.
        public var idleTimeout: Duration = .seconds(120)
        /// A response of which nothing can be delivered for this long ends with its connection.
        public var stallTimeout: Duration = .seconds(20)
        /// Bytes of all header fields of a request.
        public var headerBytes = 16 << 10
        /// Shards fetched from upstreams at the same time.
        public var concurrentFetches = 8
        /// Versions kept in a cache; most are differences, which are small.
        public var cachedVersions = 64
        /// Bytes of shards kept in a cache; the newest version stays even if it is larger.
        public var cacheBytes: UInt64 = 256 << 30

        /// The defaults.
        public init() {}
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
    /// The limits.
    public var limits = Limits()
    /// How often an origin directory is looked at for a new `latest`.
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
