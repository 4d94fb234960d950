/// The sizes and constants of a decoder-only transformer, as `config.json` gives them.
///
/// One family of layers is computed: RMSNorm, grouped-query attention with rotary positions, optional q/k norms over the
/// head dimension, SwiGLU, no biases. With q/k norms it is Hugging Face's `qwen3`, without them its `llama`.
public struct ModelConfiguration: Codable, Sendable, Hashable {
    /// The number of token ids.
    public var vocabularySize: Int
    /// The width of the residual stream.
    public var hiddenSize: Int
    /// The number of layers.
    public var layers: Int
    /// The number of query heads.
    public var heads: Int
    /// The number of key and value heads; divides `heads`.
    public var keyValueHeads: Int
    /// The width of one head; even.
    public var headDimension: Int
    /// The width inside the feed-forward block.
    public var intermediateSize: Int
    /// The constant under the root of every RMSNorm.
    public var rmsEpsilon: Float
    /// The base of the rotary frequencies.
    public var ropeTheta: Double
    /// Whether the output projection is the embedding table.
    public var tieEmbeddings: Bool
    /// The number of positions that the model was made for.
    public var maxPositions: Int
    /// Whether queries and keys are normalised per head before they are rotated.
    public var qkNorm: Bool

    /// Creates a configuration; call ``validate(place:)`` on values from outside.
    public init(
        vocabularySize: Int, hiddenSize: Int, layers: Int, heads: Int, keyValueHeads: Int, headDimension: Int,
        intermediateSize: Int, rmsEpsilon: Float = 1e-6, ropeTheta: Double = 10_000, tieEmbeddings: Bool = true,
        maxPositions: Int = 4096, qkNorm: Bool = true
    ) {
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.layers = layers
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.headDimension = headDimension
        self.intermediateSize = intermediateSize
        self.rmsEpsilon = rmsEpsilon
        self.ropeTheta = ropeTheta
        self.tieEmbeddings = tieEmbeddings
        self.maxPositions = maxPositions
        self.qkNorm = qkNorm
    }

    /// The width of all query heads together.
    public var queryWidth: Int { heads * headDimension }
    /// The width of all key heads together, and of all value heads.
    public var keyValueWidth: Int { keyValueHeads * headDimension }
    /// The number of query heads that share one key and value head.
    public var groupSize: Int { heads / keyValueHeads }

    /// Checks that every size is one that can be computed and stored.
    ///
    /// The bounds are far above any model that a CPU runs; they keep a hostile file from overflowing sizes.
    ///
    /// - Parameter place: the file, for the error.
    /// - Throws: `ModelError` naming the first value that is out of range.
    public func validate(place: String) throws(ModelError) {
        let bounds: [(String, Int, ClosedRange<Int>)] = [
            ("vocab_size", vocabularySize, 1...(1 << 22)), ("hidden_size", hiddenSize, 1...(1 << 16)),
            ("num_hidden_layers", layers, 1...1024), ("num_attention_heads", heads, 1...1024),
            ("num_key_value_heads", keyValueHeads, 1...1024), ("head_dim", headDimension, 2...1024),
            ("intermediate_size", intermediateSize, 1...(1 << 20)),
            ("max_position_embeddings", maxPositions, 1...(1 << 24)),
        ]
        for (name, value, range) in bounds where !range.contains(value) {
            throw malformed(place, "\(name) is \(value), and must be from \(range.lowerBound) to \(range.upperBound)")
        }
        if heads % keyValueHeads != 0 {
            throw malformed(
                place, "num_attention_heads \(heads) is no multiple of num_key_value_heads \(keyValueHeads)")
        }
        if headDimension % 2 != 0 { throw malformed(place, "head_dim \(headDimension) is odd") }
        if !(rmsEpsilon > 0 && rmsEpsilon < 1) {
            throw malformed(place, "rms_norm_eps is \(rmsEpsilon), and must be above 0 and below 1")
        }
        if !(ropeTheta >= 1 && ropeTheta < 1e12) {
            throw malformed(place, "rope_theta is \(ropeTheta), and must be from 1 to 1e12")
        }
    }

    private func malformed(_ place: String, _ detail: String) -> ModelError {
        ModelError(.malformedConfiguration, place: place, detail)
    }
}
