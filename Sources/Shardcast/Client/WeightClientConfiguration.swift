import Identity

/// Where a client fetches policy versions from, what it believes, and where it puts them.
public struct WeightClientConfiguration: Sendable {
    /// Relays or static servers; all of them are asked, none of them is trusted.
    public var upstreams: [UpstreamAddress]
    /// The key that signs the manifests.
    public var trust: PublicKey
    /// The run; nil takes the run of the first manifest signed by the key.
    public var run: Hash256?
    /// The directory that versions are installed in, one process at a time.
    public var directory: String
    /// Shards in flight at the same time, at most; large ones are fetched in order and few at a time.
    public var concurrentShards = 16
    /// A transfer that does not move for this long is given up and tried elsewhere.
    public var silence: Duration = .seconds(10)
    /// How long "I do not have it" may mean "not yet", for relays that are a moment behind.
    public var missingPatience: Duration = .seconds(10)
    /// How long an upstream may hold back the answer to "is there a newer version?".
    public var longPoll: Duration = .seconds(25)

    /// Creates a configuration with defaults for everything else.
    public init(upstreams: [UpstreamAddress], trust: PublicKey, run: Hash256?, directory: String) {
        self.upstreams = upstreams
        self.trust = trust
        self.run = run
        self.directory = directory
    }
}
