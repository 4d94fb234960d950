/// `[sampling]`: how completions are drawn.
public struct SamplingSection: ConfigurationSection {
    /// Logits are divided by it.
    public var temperature = 1.0
    /// No completion is longer.
    public var maxTokens = 64
    /// Samples for each prompt.
    public var groupSize = 8
    /// Only the most probable tokens; 0 is off.
    public var topK = 0
    /// Only the smallest set of tokens with this probability; 1 is off.
    public var topP = 1.0
    /// Only tokens with at least this share of the largest probability; 0 is off.
    public var minP = 0.0
    /// Whether reinforcement may filter.
    public var allowFilters = false

    /// The defaults.
    public init() {}

    /// Whether any filter is on.
    public var usesFilters: Bool { topK > 0 || topP < 1 || minP > 0 }

    /// The keys of the section.
    public static let fields: [ConfigurationField<SamplingSection>] = [
        .number("temperature", \.temperature, 0...100, "Logits are divided by it; 0 is greedy."),
        .integer("max_tokens", \.maxTokens, 1...65_536, "No completion is longer; the stop token counts."),
        .integer("group_size", \.groupSize, 1...256, "Samples for each prompt."),
        .integer("top_k", \.topK, 0...1_000_000, "Only so many most probable tokens; 0 is off."),
        .number("top_p", \.topP, 0...1, "Only the smallest set of tokens with this probability; 1 is off."),
        .number("min_p", \.minP, 0...1, "Only tokens with this share of the largest probability; 0 is off."),
        .flag(
            "allow_filters", \.allowFilters,
            "Let reinforcement use top_k, top_p or min_p, although the ratio then compares two distributions."),
    ]
}
