import Identity

/// Where a relay takes manifests and shards from; whatever it returns has been checked.
protocol WeightSource: Sendable {
    /// Where the newest manifest hangs.
    var board: VersionBoard { get }
    /// What keeps the newest version away, if anything does.
    var complaint: ShardcastError? { get }
    /// The signed bytes of a version's manifest; nil if there is none.
    func manifest(_ version: UInt64) async throws(ShardcastError) -> [UInt8]?
    /// An open shard, if a known manifest names it.
    func shard(_ hash: Hash256) async throws(ShardcastError) -> SourcedShard
    /// Learns of new versions until the task is cancelled.
    func run() async
}

/// What a relay can say to a request for a shard.
enum SourcedShard: Sendable {
    case file(OpenFile)
    /// It is being fetched, and whoever asks may ask again.
    case onItsWay
    case absent
}
