import JSON
import Safetensors

/// Reading and writing `config.json`.
extension ModelConfiguration {
    /// The values of `model_type` that can be computed.
    public static let supportedModelTypes = ["llama", "qwen3"]

    /// The `model_type` of this configuration.
    public var modelType: String { qkNorm ? "qwen3" : "llama" }

    /// Reads a `config.json`.
    ///
    /// Unknown keys are tolerated, as everywhere in the field. A key that changes what is computed must have the value
    /// that we compute.
    ///
    /// - Parameters:
    ///   - document: the parsed file.
    ///   - place: the file, for errors.
    /// - Throws: `ModelError` that lists all missing keys, or names the value that is not supported.
    public init(configJSON document: JSONValue, place: String) throws(ModelError) {
        guard case .object = document else {
            throw ModelError(.malformedConfiguration, place: place, "it is not a JSON object")
        }
        guard let type = document["model_type"]?.string, Self.supportedModelTypes.contains(type) else {
            let found = document["model_type"]?.string.map { "\"\($0)\"" } ?? "missing"
            throw ModelError(
                .unsupported, place: place,
                "model_type is \(found), and this version computes \(Self.supportedModelTypes.joined(separator: ", "))")
        }
        var reader = ConfigurationReader(document: document, place: place)
        let isQwen = type == "qwen3"
        let heads = reader.integer("num_attention_heads")
        let hidden = reader.integer("hidden_size")
        let keyValueHeads =
            isQwen
            ? reader.integer("num_key_value_heads") : reader.integer("num_key_value_heads", or: heads)
        let headDimension =
            isQwen
            ? reader.integer("head_dim") : reader.integer("head_dim", or: hidden / max(heads, 1))
        let rope = try Self.rope(document, place: place)
        if rope == nil { reader.missing.append("rope_theta") }
        self.init(
            vocabularySize: reader.integer("vocab_size"), hiddenSize: hidden,
            layers: reader.integer("num_hidden_layers"), heads: heads, keyValueHeads: keyValueHeads,
            headDimension: headDimension, intermediateSize: reader.integer("intermediate_size"),
            rmsEpsilon: Float(reader.double("rms_norm_eps")), ropeTheta: rope ?? 0,
            tieEmbeddings: document["tie_word_embeddings"]?.bool ?? false,
            maxPositions: reader.integer("max_position_embeddings"), qkNorm: isQwen)
        try reader.finish()
        try Self.refuseVariants(document, place: place)
        try validate(place: place)
    }

    /// The rotary base, from the older `rope_theta` or the newer `rope_parameters`.
    private static func rope(_ document: JSONValue, place: String) throws(ModelError) -> Double? {
        for key in ["rope_parameters", "rope_scaling"] {
            guard case .object? = document[key] else { continue }
            let type = document[key]?["rope_type"]?.string ?? document[key]?["type"]?.string ?? "default"
            guard type == "default" else {
                throw ModelError(
                    .unsupported, place: place, "\(key) asks for \"\(type)\", and only default is computed")
            }
        }
        return document["rope_parameters"]?["rope_theta"]?.double ?? document["rope_theta"]?.double
    }

    /// Refuses switches that change the computation in ways that are not implemented.
    private static func refuseVariants(_ document: JSONValue, place: String) throws(ModelError) {
        for key in ["attention_bias", "mlp_bias", "use_sliding_window"] where document[key]?.bool == true {
            throw ModelError(.unsupported, place: place, "\(key) is true, and only false is computed")
        }
        if case .array(let types)? = document["layer_types"], types.contains(where: { $0.string != "full_attention" }) {
            throw ModelError(.unsupported, place: place, "layer_types asks for more than full_attention")
        }
        if let activation = document["hidden_act"]?.string, activation != "silu" {
            throw ModelError(.unsupported, place: place, "hidden_act is \"\(activation)\", and only silu is computed")
        }
    }

    /// The `config.json` of this configuration, as `transformers` writes and reads it.
    public var configJSON: JSONValue {
        var members: [JSONMember] = [
            .init("architectures", .array([.string(qkNorm ? "Qwen3ForCausalLM" : "LlamaForCausalLM")])),
            .init("attention_bias", .bool(false)),
            .init("attention_dropout", .number(0.0)),
            .init("dtype", .string("bfloat16")),
            .init("head_dim", .integer(headDimension)),
            .init("hidden_act", .string("silu")),
            .init("hidden_size", .integer(hiddenSize)),
            .init("initializer_range", .number(0.02)),
            .init("intermediate_size", .integer(intermediateSize)),
            .init("max_position_embeddings", .integer(maxPositions)),
            .init("model_type", .string(modelType)),
            .init("num_attention_heads", .integer(heads)),
            .init("num_hidden_layers", .integer(layers)),
            .init("num_key_value_heads", .integer(keyValueHeads)),
            .init("rms_norm_eps", .number(shortest: rmsEpsilon)),
            .init(
                "rope_parameters",
                ["rope_theta": .number(ropeTheta), "rope_type": "default"]),
            .init("rope_theta", .number(ropeTheta)),
            .init("tie_word_embeddings", .bool(tieEmbeddings)),
            .init("torch_dtype", .string("bfloat16")),
            .init("use_cache", .bool(true)),
            .init("vocab_size", .integer(vocabularySize)),
        ]
        if qkNorm { members.append(.init("use_sliding_window", .bool(false))) }
        return .object(JSONObject(members).sorted)
    }
}

/// Collects the keys that a configuration lacks, so that one error names them all.
private struct ConfigurationReader {
    let document: JSONValue
    let place: String
    var missing: [String] = []

    mutating func integer(_ key: String) -> Int {
        guard let value = document[key]?.integer else {
            missing.append(key)
            return 0
        }
        return value
    }

    mutating func integer(_ key: String, or otherwise: Int) -> Int {
        guard let value = document[key], value != .null else { return otherwise }
        return integer(key)
    }

    mutating func double(_ key: String) -> Double {
        guard let value = document[key]?.double else {
            missing.append(key)
            return 0
        }
        return value
    }

    func finish() throws(ModelError) {
        guard missing.isEmpty else {
            throw ModelError(
                .malformedConfiguration, place: place,
                "these keys are missing or not numbers: \(missing.sorted().joined(separator: ", "))")
        }
    }
}
