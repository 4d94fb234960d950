/// `[data]` of a supervised file: what is imitated.
public struct DataSection: ConfigurationSection {
    /// JSONL, one object per line.
    public var path = ""
    /// The key of the prompt.
    public var promptKey = "prompt"
    /// The key of the completion.
    public var completionKey = "answer"
    /// Longer examples are refused.
    public var maxTokens = 2_048

    /// The defaults.
    public init() {}

    /// The keys of the section.
    public static let fields: [ConfigurationField<DataSection>] = [
        .text("path", \.path, "A JSONL file, one object per line."),
        .text("prompt_key", \.promptKey, "The key that holds the prompt."),
        .text("completion_key", \.completionKey, "The key that holds the completion; only it is learned."),
        .integer("max_tokens", \.maxTokens, 2...65_536, "Longer examples (prompt and completion) are refused."),
    ]
}

/// What `apus sft @ sft.toml` reads: supervised training on a JSONL file.
public struct SupervisedFile: ConfigurationSection {
    /// What the run is called and where the model goes: `DIRECTORY/model`.
    public var run = RunSection()
    /// The weights that it starts from.
    public var model = ModelSection()
    /// What is imitated.
    public var data = DataSection()
    /// The optimizer.
    public var training = WarmUpSection()

    /// The defaults.
    public init() {
        training.steps = 100
    }

    /// The sections of the file.
    public static let fields: [ConfigurationField<SupervisedFile>] = [
        .section("run", \.run, "What the run is called and where the model goes: DIRECTORY/model."),
        .section("model", \.model, "The weights that the training starts from: a shape or a path."),
        .section("data", \.data, "What is imitated."),
        .section("training", \.training, "The optimizer."),
    ]

    /// Loads supervised files and overrides, lowest layer first.
    public static func load(
        files: [String], overrides: [ConfigurationOverride] = []
    ) throws(ConfigurationError) -> SupervisedFile {
        var layers: [ConfigurationNode] = []
        for file in files { layers.append(try ConfigurationNode(file: file)) }
        return try load(layers: layers + overrides.map(\.node))
    }

    /// Loads layers that have been read already, lowest first.
    public static func load(layers: [ConfigurationNode]) throws(ConfigurationError) -> SupervisedFile {
        let composed = ConfigurationNode.composed(layers)
        var problems: [ConfigurationError.Problem] = []
        var file = SupervisedFile()
        file.decode(composed, path: "", problems: &problems)
        if problems.isEmpty {
            if (file.model.path == nil) == (file.model.shape == nil) {
                problems.append(
                    .init("model", origin: composed["model"]?.origin, "set exactly one of model.shape and model.path"))
            }
            if file.data.path.isEmpty {
                problems.append(
                    .init("data.path", origin: composed["data"]?.origin, "name the JSONL file with the examples"))
            }
            if let complaint = file.training.lora.complaint {
                problems.append(
                    .init(
                        "training.lora.target_modules",
                        origin: composed["training"]?["lora"]?["target_modules"]?.origin,
                        complaint))
            }
        }
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        return file
    }

    /// The resolved file as TOML that loads as the same file.
    public var toml: String { node.toml }

    /// The resolved file as JSON.
    public var json: String { node.json + "\n" }
}
