import Tensors

/// The sizes and constants of a decoder-only transformer, as `config.json` gives them.
///
/// One kind of layer is computed, with switches: RMSNorm, grouped-query attention with rotary positions and causal or
/// windowed masks, optional biases and q/k norms over the head dimension, SwiGLU. A ``ModelFamily`` says which switches a
/// `model_type` has and how its file names them.
public struct ModelConfiguration: Codable, Sendable, Hashable {
    /// The `model_type` of the family that reads and writes it.
    public var modelType: String
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
    /// Whether the query, key and value projections have biases.
    public var attentionBias: Bool
    /// Whether attention's output projection has a bias.
    public var attentionOutputBias: Bool
    /// Whether the gate, up and down projections have biases.
    public var mlpBias: Bool
    /// How the rotary frequencies are stretched.
    public var ropeScaling: RotaryScaling
    /// How many positions a query sees in windowed layers, its own included; nil where every layer sees everything.
    public var slidingWindow: Int?
    /// The layers whose attention is windowed, ascending; empty exactly where there is no window.
    public var windowedLayers: [Int]
    /// The layers that do not rotate queries and keys, ascending.
    public var unrotatedLayers: [Int]

    /// Creates a configuration; call ``validate(place:)`` on values from outside.
    ///
    /// - Parameters:
    ///   - modelType: the family; by default `qwen3` with q/k norms and `llama` without.
    ///   - windowedLayers: by default all layers where there is a window.
    public init(
        vocabularySize: Int, hiddenSize: Int, layers: Int, heads: Int, keyValueHeads: Int, headDimension: Int,
        intermediateSize: Int, rmsEpsilon: Float = 1e-6, ropeTheta: Double = 10_000, tieEmbeddings: Bool = true,
        maxPositions: Int = 4096, qkNorm: Bool = true, modelType: String? = nil, attentionBias: Bool = false,
        attentionOutputBias: Bool = false, mlpBias: Bool = false, ropeScaling: RotaryScaling = .none,
        slidingWindow: Int? = nil, windowedLayers: [Int]? = nil, unrotatedLayers: [Int] = []
    ) {
        self.modelType = modelType ?? (qkNorm ? "qwen3" : "llama")
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
        self.attentionBias = attentionBias
        self.attentionOutputBias = attentionOutputBias
        self.mlpBias = mlpBias
        self.ropeScaling = ropeScaling
        self.slidingWindow = slidingWindow
        self.windowedLayers = windowedLayers ?? (slidingWindow == nil ? [] : Array(0..<layers))
        self.unrotatedLayers = unrotatedLayers
    }

    /// The width of all query heads together.
    public var queryWidth: Int { heads * headDimension }
    /// The width of all key heads together, and of all value heads.
    public var keyValueWidth: Int { keyValueHeads * headDimension }
    /// The number of query heads that share one key and value head.
    public var groupSize: Int { heads / keyValueHeads }

    /// How many positions a query sees in a layer, its own included; nil where it sees everything before it.
    public func window(layer: Int) -> Int? {
        windowedLayers.contains(layer) ? slidingWindow : nil
    }

    /// Whether a layer rotates its queries and keys.
    public func isRotated(layer: Int) -> Bool { !unrotatedLayers.contains(layer) }

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
            ("sliding_window", slidingWindow ?? 1, 1...(1 << 24)),
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
        if let fault = ropeScaling.fault { throw malformed(place, fault) }
        if (slidingWindow == nil) != windowedLayers.isEmpty {
            throw malformed(place, "sliding_window and the layers that use it disagree")
        }
        for (name, list) in [("windowed", windowedLayers), ("unrotated", unrotatedLayers)] {
            let isAscending = zip(list, list.dropFirst()).allSatisfy { $0 < $1 }
            guard isAscending, list.allSatisfy((0..<layers).contains) else {
                throw malformed(place, "the \(name) layers \(list) are not an ascending list of the \(layers) layers")
            }
        }
    }

    private func malformed(_ place: String, _ detail: String) -> ModelError {
        ModelError(.malformedConfiguration, place: place, detail)
    }
}
