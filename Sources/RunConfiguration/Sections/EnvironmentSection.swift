/// `[environment]`: what the policy is trained on.
public struct EnvironmentSection: ConfigurationSection {
    /// The id of a built-in environment, or `dataset`, or `process`.
    public var name = ""
    /// What the environment itself interprets.
    public var options = ConfigurationNode(.table([:]))

    /// The defaults.
    public init() {}

    /// The keys of the section.
    public static let fields: [ConfigurationField<EnvironmentSection>] = [
        .text("name", \.name, "An environment of `apus env list`, or dataset, or process."),
        .freeTable("options", \.options, "Options that the environment itself interprets."),
    ]
}
