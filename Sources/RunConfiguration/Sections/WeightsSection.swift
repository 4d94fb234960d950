/// `[weights]`: how policy versions are published.
public struct WeightsSection: ConfigurationSection {
    /// Versions that the origin keeps.
    public var keepVersions = 8
    /// At the latest every so many versions is published whole; the others as differences.
    public var anchorInterval = 10
    /// What the run's own relay asks of those who fetch; members learn it when they are admitted.
    public var relayToken: String?

    /// The defaults.
    public init() {}

    /// The keys of the section.
    public static let fields: [ConfigurationField<WeightsSection>] = [
        .integer("keep_versions", \.keepVersions, 1...10_000, "Versions that the origin keeps."),
        .integer(
            "anchor_interval", \.anchorInterval, 1...64,
            "A version is published whole at the latest after so many; others as differences."),
        .optionalText(
            "relay_token", \.relayToken,
            "What the run's relay asks of those who fetch; members learn it when they are admitted. Nobody without it."),
    ]
}
