/// Which matrices a low-rank adapter (LoRA) changes, and how: what PEFT's `adapter_config.json` says.
///
/// The weights that are computed with are `W + scale · (B · A)`, with A [rank, inputs] and B [outputs, rank].
public struct AdapterConfiguration: Sendable, Hashable {
    /// The inner dimension of the two factors.
    public let rank: Int
    /// What the scale is made of (`lora_alpha`).
    public let alpha: Double
    /// The changed modules as PEFT names them: an entry means every module whose name ends with it (`q_proj`,
    /// `self_attn.q_proj`, `model.layers.0.self_attn.q_proj`).
    public let targets: [String]
    /// Whether the scale is alpha / √rank (`use_rslora`) instead of alpha / rank.
    public let isRankStabilized: Bool
    /// The model that the adapter was made for, as its author called it; nothing is computed from it.
    public let baseName: String?

    /// Ranks that are accepted; a larger one is no longer a small adapter.
    public static let ranks = 1...1024
    /// Alphas that are accepted.
    public static let alphas = 1e-6...1e6

    /// Describes an adapter.
    ///
    /// - Parameters:
    ///   - targets: ends of module names, in any order; see ``targets``.
    ///   - place: the file that says so, for errors.
    /// - Throws: `ModelError` when a number is out of range or nothing is changed.
    public init(
        rank: Int, alpha: Double, targets: [String] = AdapterTarget.names, isRankStabilized: Bool = false,
        baseName: String? = nil, place: String = "the adapter"
    ) throws(ModelError) {
        guard Self.ranks.contains(rank) else {
            throw ModelError(
                .malformedConfiguration, place: place,
                "its rank r is \(rank), and \(Self.ranks.lowerBound) to \(Self.ranks.upperBound) can be computed")
        }
        guard Self.alphas.contains(alpha) else {
            throw ModelError(
                .malformedConfiguration, place: place,
                "its lora_alpha is \(alpha), and \(Self.alphas.lowerBound) to \(Self.alphas.upperBound) can be computed"
            )
        }
        guard !targets.isEmpty else {
            throw ModelError(
                .malformedConfiguration, place: place,
                "its target_modules name nothing; choose from \(AdapterTarget.names.joined(separator: ", "))")
        }
        self.rank = rank
        self.alpha = alpha
        self.targets = targets
        self.isRankStabilized = isRankStabilized
        self.baseName = baseName
    }

    /// What B·A is multiplied by: computed in binary64, rounded once.
    public var scale: Float {
        Float(alpha / (isRankStabilized ? Double(rank).squareRoot() : Double(rank)))
    }

    /// The same adapter under another name of its base.
    public func named(base: String?) -> AdapterConfiguration {
        AdapterConfiguration(copying: self, baseName: base)
    }

    private init(copying other: AdapterConfiguration, baseName: String?) {
        rank = other.rank
        alpha = other.alpha
        targets = other.targets
        isRankStabilized = other.isRankStabilized
        self.baseName = baseName
    }
}
