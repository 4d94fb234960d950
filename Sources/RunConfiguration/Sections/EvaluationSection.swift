/// `[evaluation]`: how well the policy does on problems that it never trains on.
public struct EvaluationSection: ConfigurationSection {
    /// Held-out prompts.
    public var prompts = 256

    /// The defaults.
    public init() {}

    /// The keys of the section.
    public static let fields: [ConfigurationField<EvaluationSection>] = [
        .integer("prompts", \.prompts, 0...1_000_000, "Held-out prompts; 0 switches evaluation off.")
    ]
}
