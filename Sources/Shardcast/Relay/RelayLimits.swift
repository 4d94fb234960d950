/// What one stranger, and all together, may use of a relay.
public struct RelayLimits: Sendable {
    /// Open connections in all; more wait in the kernel's queue.
    public var connections = 4096
    /// Open connections of one address (an IPv6 network counts as one); more are closed, so raise it behind a proxy.
    public var connectionsPerAddress = 256
    /// Requests of one address a second, in the long run; more are answered 429.
    public var requestsPerSecond = 500.0
    /// Requests of one address at once.
    public var requestBurst = 2000.0
    /// Bytes of shards to one address a second; 0 is as fast as the line.
    public var bytesPerSecond: UInt64 = 0
    /// Long polls standing at the same time; more are answered 503.
    public var waiters = 2048
    /// The longest time that a long poll may ask for.
    public var longestWait: Duration = .seconds(60)
    /// A connection that has not sent a whole request after this long is closed.
    public var firstRequestTimeout: Duration = .seconds(10)
    /// A connection on which no complete request arrives for this long is closed, however busily it trickles.
    public var idleTimeout: Duration = .seconds(120)
    /// A response of which nothing can be delivered for this long ends with its connection.
    public var stallTimeout: Duration = .seconds(20)
    /// Bytes of all header fields of a request.
    public var headerBytes = 16 << 10
    /// Shards fetched from upstreams at the same time.
    public var concurrentFetches = 16
    /// A shard that is still being fetched after this long is answered 202, "ask again".
    public var answerWithin: Duration = .seconds(5)
    /// Versions kept in a cache; most are differences, which are small.
    public var cachedVersions = 64
    /// Bytes of shards kept in a cache; the newest version stays even if it is larger.
    public var cacheBytes: UInt64 = 256 << 30

    /// The defaults.
    public init() {}
}
