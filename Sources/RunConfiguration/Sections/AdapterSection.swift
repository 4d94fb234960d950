/// `lora` in a table that trains: a low-rank adapter learns instead of the model's weights.
public struct AdapterSection: ConfigurationSection {
    /// The modules of a layer that can be adapted.
    public static let modules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

    /// The inner dimension of the adapter; 0 trains all weights.
    public var rank = 0
    /// What the scale is made of: alpha / rank.
    public var alpha = 32.0
    /// The adapted modules.
    public var targetModules = modules
    /// Whether the scale is alpha / √rank.
    public var isRankStabilized = false

    /// The defaults.
    public init() {}

    /// Whether an adapter is trained.
    public var isOn: Bool { rank > 0 }

    /// The keys of the table.
    public static let fields: [ConfigurationField<AdapterSection>] = [
        .integer("rank", \.rank, 0...1024, "The inner dimension of the adapter; 0 trains all weights."),
        .number("alpha", \.alpha, 1e-6...1e6, "The adapter counts alpha / rank."),
        .texts("target_modules", \.targetModules, "The linear modules of every layer that are adapted."),
        .flag("use_rslora", \.isRankStabilized, "The adapter counts alpha / sqrt(rank) instead."),
    ]

    /// What is wrong with the list of modules; nil if nothing is.
    var complaint: String? {
        if isOn, targetModules.isEmpty { return "an adapter changes at least one module; name some, or set rank = 0" }
        guard let wrong = targetModules.first(where: { !Self.modules.contains($0) }) else { return nil }
        let known = Self.modules.joined(separator: ", ")
        guard let nearest = nearestName(to: wrong, among: Self.modules) else {
            return "\"\(wrong)\" cannot be adapted; choose from \(known)"
        }
        return "\"\(wrong)\" cannot be adapted; did you mean \(nearest)? There are \(known)"
    }
}
