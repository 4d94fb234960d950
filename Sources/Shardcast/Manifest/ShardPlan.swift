/// How a version is cut into shards.
public enum ShardPlan {
    /// The smallest planned shard: below this the cost of a request outweighs its bytes.
    public static let minimumBytes: UInt64 = 64 << 10
    /// The largest shard: what a relay must hold before it can check and forward anything.
    public static let maximumBytes: UInt64 = 32 << 20

    /// clamp(total / 16, 64 KiB, 32 MiB), rounded up, so that a version of middling size has 16 shards.
    public static func shardBytes(total: UInt64) -> UInt64 {
        let sixteenth = total / 16 + (total % 16 == 0 ? 0 : 1)
        return min(max(sixteenth, minimumBytes), maximumBytes)
    }
}
