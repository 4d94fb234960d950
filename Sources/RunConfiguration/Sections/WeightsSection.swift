/// `[weights]`: how policy versions are published.
public struct WeightsSection: ConfigurationSection {
    /// Versions that the origin keeps.
    public var keepVersions = 8

    /// The defaults.
    public init() {}

    /// The keys of the section.
    public static let fields: [ConfigurationField<WeightsSection>] = [
        .integer("keep_versions", \.keepVersions, 1...10_000, "Versions that the origin keeps.")
    ]
}
