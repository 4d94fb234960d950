/// `[weights]`: how policy versions are published.
public struct WeightsSection: ConfigurationSection {
    /// Versions that the origin keeps.
    public var keepVersions = 8
    /// Size of a shard.
    public var shardBytes = 4 << 20

    /// The defaults.
    public init() {}

    /// The keys of the section.
    public static let fields: [ConfigurationField<WeightsSection>] = [
        .integer("keep_versions", \.keepVersions, 1...10_000, "Versions that the origin keeps."),
        .integer("shard_bytes", \.shardBytes, 4_096...(1 << 30), "Size of a shard in bytes."),
    ]
}
