/// What becomes of prompts that are longer than the limit.
public enum LongPrompts: String, Sendable, CaseIterable {
    /// The run does not start.
    case refuse
    /// Another task takes their place.
    case skip
}

/// `[environment]`: what the policy is trained on.
public struct EnvironmentSection: ConfigurationSection {
    /// The id of a built-in environment, or `dataset`, or `process`.
    public var name = ""
    /// What the environment itself interprets.
    public var options = ConfigurationNode(.table([:]))
    /// The longest prompt in tokens; 0 is what the model's context leaves.
    public var maxPromptTokens = 0
    /// What becomes of longer prompts.
    public var longPrompts = LongPrompts.refuse

    /// The defaults.
    public init() {}

    /// The keys of the section.
    public static let fields: [ConfigurationField<EnvironmentSection>] = [
        .text("name", \.name, "An environment of `apus env list`, or dataset, or process."),
        .integer(
            "max_prompt_tokens", \.maxPromptTokens, 0...65_536,
            "No prompt may be longer; 0 is what max_tokens leaves of the model's context."),
        .choice("long_prompts", \.longPrompts, "Whether longer prompts stop the run or are left out."),
        .freeTable("options", \.options, "Options that the environment itself interprets."),
    ]
}
