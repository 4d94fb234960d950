import JSON

/// Reading and writing `adapter_config.json`.
extension AdapterConfiguration {
    /// The modules that PEFT's word for "every linear layer but the output" stands for.
    private static let allLinear = "all-linear"
    /// Keys that are read.
    private static let read: Set<String> = [
        "peft_type", "task_type", "r", "lora_alpha", "target_modules", "use_rslora", "bias", "base_model_name_or_path",
        "init_lora_weights",
    ]
    /// Keys that say how an adapter was or will be trained, where its base is, or which program wrote it: nothing that
    /// the finished adapter computes depends on them.
    private static let ignored: Set<String> = [
        "auto_mapping", "inference_mode", "lora_dropout", "peft_version", "revision", "megatron_core",
        "qalora_group_size", "runtime_config", "layers_pattern", "ensure_weight_tying",
    ]
    /// Ways of initialising that leave the base as it is; the others store an adapter for changed base weights.
    private static let harmlessInitialisations: Set<String> = ["gaussian", "eva", "orthogonal"]

    /// Reads an `adapter_config.json`.
    ///
    /// A key that changes what is computed must have the value that we compute; a key that this program does not know
    /// must be off (null, false or empty), because it might change what is computed.
    ///
    /// - Parameter place: the file, for errors.
    /// - Throws: `ModelError` naming the key.
    public init(adapterJSON document: JSONValue, place: String) throws(ModelError) {
        guard let object = document.object else {
            throw ModelError(.malformedConfiguration, place: place, "it is not a JSON object")
        }
        func unsupported(_ detail: String) -> ModelError { ModelError(.unsupported, place: place, detail) }
        guard let kind = document["peft_type"]?.string, kind == "LORA" else {
            throw unsupported("peft_type is \(Self.shown(document["peft_type"])), and only LORA is computed")
        }
        if let task = document["task_type"], task != .null, task != "CAUSAL_LM" {
            throw unsupported("task_type is \(Self.shown(task)), and only CAUSAL_LM is computed")
        }
        if let bias = document["bias"], bias != .null, bias != "none" {
            throw unsupported("bias is \(Self.shown(bias)), and only \"none\" is computed")
        }
        if let start = document["init_lora_weights"]?.string, !Self.harmlessInitialisations.contains(start) {
            throw unsupported(
                "init_lora_weights is \"\(start)\", which changes the base weights; convert the adapter to plain LoRA first"
            )
        }
        for member in object where !Self.read.contains(member.name) && !Self.ignored.contains(member.name) {
            guard member.value.isOff else {
                throw unsupported("\(member.name) is \(Self.shown(member.value)), and only its absence is computed")
            }
        }
        guard let rank = document["r"]?.integer, let alpha = document["lora_alpha"]?.double else {
            throw ModelError(.malformedConfiguration, place: place, "r or lora_alpha is missing or not a number")
        }
        if let flag = document["use_rslora"], flag != .null, flag.bool == nil {
            throw ModelError(
                .malformedConfiguration, place: place, "use_rslora is \(Self.shown(flag)), not true or false")
        }
        try self.init(
            rank: rank, alpha: alpha, targets: try Self.targets(document["target_modules"], place: place),
            isRankStabilized: document["use_rslora"]?.bool ?? false,
            baseName: document["base_model_name_or_path"]?.string, place: place)
    }

    private static func targets(_ value: JSONValue?, place: String) throws(ModelError) -> [String] {
        let known = AdapterTarget.names.joined(separator: ", ")
        if let word = value?.string {
            guard word == allLinear else {
                throw ModelError(
                    .unsupported, place: place,
                    "target_modules is the pattern \"\(word.prefix(80))\"; list the modules instead (\(known))")
            }
            return AdapterTarget.names
        }
        guard let elements = value?.array else {
            throw ModelError(
                .malformedConfiguration, place: place, "target_modules is \(shown(value)), not a list of \(known)")
        }
        let names = elements.compactMap(\.string)
        guard names.count == elements.count else {
            throw ModelError(.malformedConfiguration, place: place, "target_modules holds something that is no text")
        }
        return names
    }

    private static func shown(_ value: JSONValue?) -> String {
        guard let value else { return "missing" }
        let text = value.line
        return text.utf8.count > 80 ? "\(text.prefix(80))…" : text
    }

    /// The `adapter_config.json` of this configuration, as PEFT writes and reads it.
    public var adapterJSON: JSONValue {
        [
            "alpha_pattern": [:],
            "auto_mapping": nil,
            "base_model_name_or_path": baseName.map { .string($0) } ?? .null,
            "bias": "none",
            "fan_in_fan_out": false,
            "inference_mode": true,
            "init_lora_weights": true,
            "layer_replication": nil,
            "layers_pattern": nil,
            "layers_to_transform": nil,
            "lora_alpha": Int(exactly: alpha).map { .integer($0) } ?? .number(alpha),
            "lora_dropout": 0.0,
            "modules_to_save": nil,
            "peft_type": "LORA",
            "r": .integer(rank),
            "rank_pattern": [:],
            "revision": nil,
            "target_modules": .array(targets.map { .string($0) }),
            "task_type": "CAUSAL_LM",
            "use_dora": false,
            "use_rslora": .bool(isRankStabilized),
        ]
    }
}

extension JSONValue {
    /// Whether a switch with this value is off: null, false or empty.
    fileprivate var isOff: Bool {
        switch self {
        case .null, .bool(false): true
        case .array(let elements): elements.isEmpty
        case .object(let object): object.isEmpty
        default: false
        }
    }
}
