/// The shapes of a random model that have names.
public enum ModelShapeName: String, Sendable, CaseIterable {
    /// 82 thousand parameters, the demo's.
    case nano
    /// About one million parameters.
    case tiny
    /// About 15 million parameters.
    case small
    /// The smaller shape of the benchmarks.
    case s
    /// The larger shape of the benchmarks.
    case q
}

/// `[model]`: the weights that the run starts from; exactly one of the two keys.
public struct ModelSection: ConfigurationSection {
    /// A random model of this shape.
    public var shape: ModelShapeName?
    /// A Hugging Face directory.
    public var path: String?

    /// The defaults.
    public init() {}

    /// The keys of the section.
    public static let fields: [ConfigurationField<ModelSection>] = [
        .optionalChoice("shape", \.shape, "Start from a random model of this shape."),
        .optionalText("path", \.path, "Start from this Hugging Face directory."),
    ]
}
