/// Sizes and counts that no honest manifest reaches.
public enum ManifestLimits {
    /// Largest manifest with its signature line, in bytes.
    public static let manifestBytes = 8 << 20
    /// Most files in a version.
    public static let files = 256
    /// Most shards in a version.
    public static let shards = 1 << 16
    /// Most differences between a full version and the last one that follows from it.
    public static let chain = 64
    /// Most listed tensors.
    public static let tensors = 1 << 16
    /// Longest name of a tensor or element type, in bytes.
    public static let nameBytes = 512
    /// Most dimensions of a tensor.
    public static let dimensions = 8
    /// Largest version in bytes (1 TiB).
    public static let totalBytes: UInt64 = 1 << 40
    /// Furthest a creation time may lie ahead of this machine's clock.
    static let clockSkewMilliseconds: Int64 = 24 * 3600 * 1000
}
