import JSON

/// Reads the keys of a `config.json` for a family, collecting faults so that one error names all missing keys.
struct ConfigurationReader {
    let document: JSONValue
    let place: String
    let family: ModelFamily
    private var missing: [String] = []
    /// The first value that is there and cannot be computed.
    private var refusal: ModelError?

    init(document: JSONValue, place: String, family: ModelFamily) {
        self.document = document
        self.place = place
        self.family = family
    }

    /// The value of a key; nil where it is absent or null, which `transformers` takes for the same.
    func value(_ key: String) -> JSONValue? {
        guard let value = document[key], value != .null else { return nil }
        return value
    }

    /// A key that must be a whole number.
    mutating func integer(_ key: String) -> Int {
        guard let value = document[key]?.integer else {
            missing.append(key)
            return 0
        }
        return value
    }

    /// A key that may be absent or null.
    mutating func integer(_ key: String, or otherwise: Int) -> Int {
        value(key) == nil ? otherwise : integer(key)
    }

    /// A key that must be there but may be null.
    mutating func integer(_ key: String, whenNull otherwise: Int) -> Int {
        document[key] == .null ? otherwise : integer(key)
    }

    /// A key that must be a number.
    mutating func double(_ key: String) -> Double {
        guard let value = document[key]?.double else {
            missing.append(key)
            return 0
        }
        return value
    }

    /// A switch that may be absent or null.
    mutating func flag(_ key: String, or otherwise: Bool) -> Bool {
        guard let value = value(key) else { return otherwise }
        guard let flag = value.bool else {
            refuse("\(key) must be true or false", as: .malformedConfiguration)
            return otherwise
        }
        return flag
    }

    /// Notes a value that cannot be computed; the first one is reported.
    mutating func refuse(_ detail: String, as code: ModelError.Code = .unsupported) {
        if refusal == nil { refusal = ModelError(code, place: place, detail) }
    }

    /// Notes a key that is not there.
    mutating func miss(_ key: String) { missing.append(key) }

    /// Throws what was noted.
    func finish() throws(ModelError) {
        guard missing.isEmpty else {
            throw ModelError(
                .malformedConfiguration, place: place,
                "these keys are missing or not numbers: \(Set(missing).sorted().joined(separator: ", "))")
        }
        if let refusal { throw refusal }
    }

    /// Refuses switches that no family here computes.
    mutating func refuseVariants() {
        if let activation = value("hidden_act"), activation.string != "silu" {
            refuse("hidden_act is \(activation.string.map { "\"\($0)\"" } ?? "no text"), and only silu is computed")
        }
        if value("quantization_config") != nil {
            refuse("quantization_config is set, and only bf16, f16 and f32 weights are computed; dequantize the model")
        }
        if flag("rope_interleaved", or: false) {
            refuse("rope_interleaved is true, and only rotation by halves is computed; convert the checkpoint")
        }
        for key in ["partial_rotary_factor", "rotary_pct"] {
            if let factor = value(key), factor.double != 1 {
                refuse("\(key) is not 1, and only whole heads are rotated")
            }
        }
    }

    /// The sizes that every family has.
    ///
    /// - Parameters:
    ///   - keyValueHeads: whether the key may be absent, which then means one per query head.
    ///   - headDimension: whether the key may be absent, which then means hidden size over heads.
    ///   - rotaryBase: the base where the file has none; nil makes it a missing key.
    ///   - tied: the value of `tie_word_embeddings` where the file has none.
    mutating func sizes(
        optionalKeyValueHeads: Bool = false, optionalHeadDimension: Bool = true, rotaryBase: Double? = nil,
        tied: Bool = false
    ) -> ModelConfiguration {
        let heads = integer("num_attention_heads")
        let hidden = integer("hidden_size")
        let positions = integer("max_position_embeddings")
        let rotary = rotary(base: rotaryBase, maxPositions: positions)
        return ModelConfiguration(
            vocabularySize: integer("vocab_size"), hiddenSize: hidden, layers: integer("num_hidden_layers"),
            heads: heads,
            keyValueHeads: optionalKeyValueHeads
                ? integer("num_key_value_heads", or: heads) : integer("num_key_value_heads", whenNull: heads),
            headDimension: optionalHeadDimension
                ? integer("head_dim", or: hidden / max(heads, 1)) : integer("head_dim"),
            intermediateSize: integer("intermediate_size"), rmsEpsilon: Float(double("rms_norm_eps")),
            ropeTheta: rotary.base, tieEmbeddings: flag("tie_word_embeddings", or: tied), maxPositions: positions,
            qkNorm: false, modelType: family.modelType, ropeScaling: rotary.scaling)
    }
}
