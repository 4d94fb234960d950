import Safetensors
import Tensors

/// Reading and writing `config.json`; what differs between families stands in `Families/`.
extension ModelConfiguration {
    /// The values of `model_type` that can be computed.
    public static var supportedModelTypes: [String] { ModelFamily.all.map(\.modelType) }

    /// Reads a `config.json`.
    ///
    /// Unknown keys are tolerated, as everywhere in the field. A key that changes what is computed must have a value
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
        let family = try ModelFamily.named(document["model_type"]?.string, place: place)
        var reader = ConfigurationReader(document: document, place: place, family: family)
        reader.refuseVariants()
        self = family.read(&reader)
        try reader.finish()
        try validate(place: place)
    }

    /// The `config.json` of this configuration, as `transformers` writes and reads it.
    ///
    /// - Throws: `ModelError` when the family's file cannot say what this configuration asks for.
    public func configJSON(place: String = "config.json") throws(ModelError) -> JSONValue {
        try validate(place: place)
        let family = try ModelFamily.named(modelType, place: place)
        let members = commonMembers(family).merging(family.write(self)) { _, own in own }
        let document = JSONValue.object(
            members.map { JSONValue.Member($0.key, $0.value) }.sorted { precedes($0.name, $1.name) })
        // What was written is read again: nothing can get lost in a file that others load.
        guard try ModelConfiguration(configJSON: document, place: place) == self else {
            throw ModelError(
                .unsupported, place: place,
                "a config.json of model_type \"\(modelType)\" cannot say what this model computes; choose another family"
            )
        }
        return document
    }

    /// What every family writes alike.
    private func commonMembers(_ family: ModelFamily) -> [String: JSONValue] {
        var rotary: [String: JSONValue] = ["rope_type": .string("default")]
        switch ropeScaling {
        case .none: break
        case .linear(let factor):
            rotary = ["rope_type": .string("linear"), "factor": .double(factor)]
        case .llama3(let factor, let low, let high, let positions):
            rotary = [
                "rope_type": .string("llama3"), "factor": .double(factor), "low_freq_factor": .double(low),
                "high_freq_factor": .double(high), "original_max_position_embeddings": .integer(positions),
            ]
        }
        func object(_ members: [String: JSONValue]) -> JSONValue {
            .object(members.map { JSONValue.Member($0.key, $0.value) }.sorted { precedes($0.name, $1.name) })
        }
        var members: [String: JSONValue] = [
            "architectures": .array([.string(family.architecture)]),
            "attention_dropout": .number("0.0"),
            "bos_token_id": .null,
            "dtype": .string("bfloat16"),
            "eos_token_id": .null,
            "head_dim": .integer(headDimension),
            "hidden_act": .string("silu"),
            "hidden_size": .integer(hiddenSize),
            "initializer_range": .number("0.02"),
            "intermediate_size": .integer(intermediateSize),
            "max_position_embeddings": .integer(maxPositions),
            "model_type": .string(modelType),
            "num_attention_heads": .integer(heads),
            "num_hidden_layers": .integer(layers),
            "num_key_value_heads": .integer(keyValueHeads),
            "pad_token_id": .null,
            "rms_norm_eps": .number("\(rmsEpsilon)"),
            // Both forms of the rotary settings: transformers 5 reads the first, older releases the others.
            "rope_parameters": object(rotary.merging(["rope_theta": .double(ropeTheta)]) { own, _ in own }),
            "rope_theta": .double(ropeTheta),
            "tie_word_embeddings": .bool(tieEmbeddings),
            "torch_dtype": .string("bfloat16"),
            "use_cache": .bool(true),
            "vocab_size": .integer(vocabularySize),
        ]
        if ropeScaling != .none { members["rope_scaling"] = object(rotary) }
        return members
    }
}
