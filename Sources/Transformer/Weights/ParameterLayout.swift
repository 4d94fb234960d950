/// One tensor inside a flat allocation of parameters.
public struct TensorSlice: Sendable, Hashable {
    /// The Hugging Face name.
    public let name: String
    /// The dimensions, outermost first; matrices are [out, in].
    public let shape: [Int]
    /// The first element in the flat allocation.
    public let offset: Int
    /// The number of elements.
    public let count: Int

    /// The elements in the flat allocation.
    public var range: Range<Int> { offset..<offset + count }
    /// Whether the tensor is a vector, which weight decay leaves alone.
    public var isVector: Bool { shape.count == 1 }
}

/// Where every parameter of a model lies in one flat allocation.
///
/// Master weights, gradients, optimizer moments and bf16 weights all share it, so that an optimizer step is one pass over
/// flat memory. Every offset is a multiple of 32 elements: bf16 tensors then begin on 64-byte lines. The elements between
/// tensors are padding, always zero, and belong to no slice.
public struct ParameterLayout: Sendable, Hashable {
    /// The configuration that it was made for.
    public let configuration: ModelConfiguration
    /// The tensors in the order of the forward pass.
    public let slices: [TensorSlice]
    /// The size of the flat allocation in elements, padding included.
    public let elementCount: Int
    /// The token embedding [vocabulary, hidden].
    public let embedding: TensorSlice
    /// The tensors of each layer.
    public let layers: [LayerSlices]
    /// The last norm [hidden].
    public let finalNorm: TensorSlice
    /// The output projection [vocabulary, hidden]; nil where it is the embedding.
    public let outputProjection: TensorSlice?

    private static let alignment = 32

    /// Lays out the parameters of a configuration.
    public init(_ configuration: ModelConfiguration) {
        var builder = Builder()
        let hidden = configuration.hiddenSize
        embedding = builder.add("model.embed_tokens.weight", [configuration.vocabularySize, hidden])
        layers = (0..<configuration.layers).map { builder.addLayer($0, configuration) }
        finalNorm = builder.add("model.norm.weight", [hidden])
        outputProjection =
            configuration.tieEmbeddings ? nil : builder.add("lm_head.weight", [configuration.vocabularySize, hidden])
        slices = builder.slices
        elementCount = builder.next
        self.configuration = configuration
    }

    /// The number of parameters, padding not counted.
    public var parameterCount: Int { slices.reduce(0) { $0 + $1.count } }

    /// The slice of a tensor, or nil where the model has none of that name.
    public func slice(named name: String) -> TensorSlice? { slices.first { $0.name == name } }

    private struct Builder {
        var slices: [TensorSlice] = []
        var next = 0

        mutating func add(_ name: String, _ shape: [Int]) -> TensorSlice {
            let slice = TensorSlice(name: name, shape: shape, offset: next, count: shape.reduce(1, *))
            slices.append(slice)
            next = (next + slice.count + alignment - 1) / alignment * alignment
            return slice
        }

        mutating func addBias(_ name: String, _ width: Int, _ exists: Bool) -> TensorSlice? {
            exists ? add(name, [width]) : nil
        }

        mutating func addLayer(_ index: Int, _ configuration: ModelConfiguration) -> LayerSlices {
            let prefix = "model.layers.\(index)"
            let (hidden, inner) = (configuration.hiddenSize, configuration.intermediateSize)
            let (query, keyValue) = (configuration.queryWidth, configuration.keyValueWidth)
            let head = configuration.headDimension
            let (attention, inside) = (configuration.attentionBias, configuration.mlpBias)
            // The order of the forward pass; q, k, v and gate, up adjoin, as the packed panels concatenate them, and so
            // do their biases.
            return LayerSlices(
                inputNorm: add("\(prefix).input_layernorm.weight", [hidden]),
                query: add("\(prefix).self_attn.q_proj.weight", [query, hidden]),
                key: add("\(prefix).self_attn.k_proj.weight", [keyValue, hidden]),
                value: add("\(prefix).self_attn.v_proj.weight", [keyValue, hidden]),
                queryBias: addBias("\(prefix).self_attn.q_proj.bias", query, attention),
                keyBias: addBias("\(prefix).self_attn.k_proj.bias", keyValue, attention),
                valueBias: addBias("\(prefix).self_attn.v_proj.bias", keyValue, attention),
                queryNorm: configuration.qkNorm ? add("\(prefix).self_attn.q_norm.weight", [head]) : nil,
                keyNorm: configuration.qkNorm ? add("\(prefix).self_attn.k_norm.weight", [head]) : nil,
                output: add("\(prefix).self_attn.o_proj.weight", [hidden, query]),
                outputBias: addBias("\(prefix).self_attn.o_proj.bias", hidden, configuration.attentionOutputBias),
                postAttentionNorm: add("\(prefix).post_attention_layernorm.weight", [hidden]),
                gate: add("\(prefix).mlp.gate_proj.weight", [inner, hidden]),
                up: add("\(prefix).mlp.up_proj.weight", [inner, hidden]),
                gateBias: addBias("\(prefix).mlp.gate_proj.bias", inner, inside),
                upBias: addBias("\(prefix).mlp.up_proj.bias", inner, inside),
                down: add("\(prefix).mlp.down_proj.weight", [hidden, inner]),
                downBias: addBias("\(prefix).mlp.down_proj.bias", hidden, inside))
        }
    }
}

/// The tensors of one layer.
public struct LayerSlices: Sendable, Hashable {
    /// The norm before attention [hidden].
    public let inputNorm: TensorSlice
    /// The query projection [heads × head dimension, hidden].
    public let query: TensorSlice
    /// The key projection [key-value heads × head dimension, hidden].
    public let key: TensorSlice
    /// The value projection [key-value heads × head dimension, hidden].
    public let value: TensorSlice
    /// The biases of query, key and value [out], where the model has them; all three or none.
    public let queryBias: TensorSlice?
    /// See ``queryBias``.
    public let keyBias: TensorSlice?
    /// See ``queryBias``.
    public let valueBias: TensorSlice?
    /// The norm over each query head [head dimension], where the family has one.
    public let queryNorm: TensorSlice?
    /// The norm over each key head [head dimension], where the family has one.
    public let keyNorm: TensorSlice?
    /// The projection back to the residual stream [hidden, heads × head dimension].
    public let output: TensorSlice
    /// The bias of that projection [hidden], where the model has one.
    public let outputBias: TensorSlice?
    /// The norm before the feed-forward block [hidden].
    public let postAttentionNorm: TensorSlice
    /// The gate projection [inner, hidden].
    public let gate: TensorSlice
    /// The up projection [inner, hidden].
    public let up: TensorSlice
    /// The bias of the gate projection [inner]; the feed-forward block has all three biases or none.
    public let gateBias: TensorSlice?
    /// The bias of the up projection [inner].
    public let upBias: TensorSlice?
    /// The down projection [hidden, inner].
    public let down: TensorSlice
    /// The bias of the down projection [hidden].
    public let downBias: TensorSlice?

    /// The biases that this layer has.
    public var biases: [TensorSlice] {
        [queryBias, keyBias, valueBias, outputBias, gateBias, upBias, downBias].compactMap { $0 }
    }
}
