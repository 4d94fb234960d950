import RunConfiguration
import Tokenizers
import Transformer

/// The model that a run starts from: a shape with random weights, or a Hugging Face directory.
public struct StartingModel: Sendable {
    /// The sizes.
    public let configuration: ModelConfiguration
    /// What ends a completion.
    public let generation: GenerationConfiguration
    /// Text to ids and back.
    public let tokenizer: any Tokenizer
    private let directory: ModelDirectory?

    /// The model that a run file names.
    ///
    /// - Throws: `ModelError`, `SafetensorsError` or `TokenizerError` for a directory that cannot be used.
    public init(_ section: ModelSection) throws {
        if let path = section.path {
            let directory = try ModelDirectory(opening: path)
            self.directory = directory
            configuration = directory.configuration
            generation = directory.generation
            tokenizer = try TokenizerDirectory.load(path)
        } else {
            let shape = ModelShape(rawValue: (section.shape ?? .nano).rawValue) ?? .nano
            directory = nil
            configuration = shape.configuration
            generation = .byteLevel
            guard let bytes = ByteLevelTokenizer(vocabularySize: shape.configuration.vocabularySize) else {
                throw RoleFailure(
                    .badInput, "Shape \(shape.rawValue) has a vocabulary too small for text.",
                    advice: "Choose another shape.")
            }
            tokenizer = bytes
        }
    }

    /// The weights to train: the directory's, or random ones that follow from the seed.
    public func masterWeights(seed: UInt64) throws -> MasterWeights {
        try directory?.masterWeights() ?? ModelInitializer.random(configuration, seed: seed)
    }

    /// Writes weights as a Hugging Face directory, tokenizer included.
    public static func write(
        _ weights: ModelWeights, tokenizer: any Tokenizer, generation: GenerationConfiguration, to path: String
    ) throws {
        var companions: [String: String] = [:]
        if let bytes = tokenizer as? ByteLevelTokenizer {
            companions[TokenizerDirectory.configurationName] = TokenizerDirectory.configurationText(for: bytes)
        }
        try ModelDirectory.write(
            to: path, configuration: weights.configuration, generation: generation, tensors: weights.sources,
            companions: companions)
    }
}
