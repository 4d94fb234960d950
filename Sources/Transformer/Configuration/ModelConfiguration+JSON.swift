import JSON
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
    /// - Parameters:
    ///   - generation: whose stop and padding ids older programs look for in this file.
    ///   - place: the file, for errors.
    /// - Throws: `ModelError` when the family's file cannot say what this configuration asks for.
    public func configJSON(
        generation: GenerationConfiguration? = nil, place: String = "config.json"
    ) throws(ModelError) -> JSONValue {
        try validate(place: place)
        let family = try ModelFamily.named(modelType, place: place)
        var members = commonMembers(family).merging(family.write(self)) { _, own in own }
        for member in generation?.json.object?.members ?? [] { members[member.name] = member.value }
        let document = JSONValue.object(JSONObject(members))
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
        var members: [String: JSONValue] = [
            "architectures": [.string(family.architecture)],
            "attention_dropout": 0.0,
            "bos_token_id": nil,
            "dtype": "bfloat16",
            "eos_token_id": nil,
            "head_dim": .integer(headDimension),
            "hidden_act": "silu",
            "hidden_size": .integer(hiddenSize),
            "initializer_range": 0.02,
            "intermediate_size": .integer(intermediateSize),
            "max_position_embeddings": .integer(maxPositions),
            "model_type": .string(modelType),
            "num_attention_heads": .integer(heads),
            "num_hidden_layers": .integer(layers),
            "num_key_value_heads": .integer(keyValueHeads),
            "pad_token_id": nil,
            "rms_norm_eps": .number(shortest: rmsEpsilon),
            "rope_theta": .number(ropeTheta),
            "tie_word_embeddings": .bool(tieEmbeddings),
            "torch_dtype": "bfloat16",
            "use_cache": true,
            "vocab_size": .integer(vocabularySize),
        ]
        // Both forms of the rotary settings: transformers 5 reads the first, older releases the others.
        let rotary = rotaryMembers
        members["rope_parameters"] = .object(
            JSONObject(rotary.merging(["rope_theta": .number(ropeTheta)]) { own, _ in own }))
        if ropeScaling != .none { members["rope_scaling"] = .object(JSONObject(rotary)) }
        return members
    }

    private var rotaryMembers: [String: JSONValue] {
        switch ropeScaling {
        case .none: ["rope_type": "default"]
        case .linear(let factor): ["rope_type": "linear", "factor": .number(factor)]
        case .llama3(let factor, let low, let high, let positions):
            [
                "rope_type": "llama3", "factor": .number(factor), "low_freq_factor": .number(low),
                "high_freq_factor": .number(high), "original_max_position_embeddings": .integer(positions),
            ]
        }
    }
}
