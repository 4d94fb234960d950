import ChatTemplates
import Foundation
import JSON
import RunConfiguration
import Sampling
import Tensors
import Tokenizers
import Training
import Transformer

/// The model that a run starts from: a shape with random weights, or a Hugging Face directory.
public struct StartingModel: Sendable {
    /// The sizes.
    public let configuration: ModelConfiguration
    /// What ends a completion.
    public let generation: GenerationConfiguration
    /// Prompts to ids, and ids to text.
    public let prompts: PromptEncoder
    private let directory: ModelDirectory?

    /// The model that a run file names.
    ///
    /// - Parameters:
    ///   - section: Where the model is.
    ///   - run: Names the day that chat templates take for today.
    /// - Throws: `ModelError`, `SafetensorsError`, `TokenizerError` or `TemplateError` for a directory that cannot be used.
    public init(_ section: ModelSection, of run: RunSection = RunSection()) throws {
        if let path = section.path {
            let directory = try ModelDirectory(opening: path)
            self.directory = directory
            configuration = directory.configuration
            prompts = try PromptEncoder(
                directory: path, configuration: directory.configuration,
                time: run.day.flatMap { TemplateTime(year: $0.year, month: $0.month, day: $0.day) })
            generation = try Self.generation(of: directory, prompts.tokenizer)
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
            prompts = PromptEncoder(
                tokenizer: bytes, configuration: shape.configuration, place: "shape \(shape.rawValue)")
        }
    }

    /// The weights to train: the directory's, or random ones that follow from the seed.
    public func masterWeights(seed: UInt64) throws -> MasterWeights {
        try directory?.masterWeights() ?? ModelInitializer.random(configuration, seed: seed)
    }

    /// The same, rounded, in private memory, to compute with and to merge adapters into.
    public func weights(seed: UInt64, kernels: Kernels, pool: ComputePool) throws -> ModelWeights {
        try directory?.weights(kernels: kernels, pool: pool, cache: nil)
            ?? ModelWeights(
                master: ModelInitializer.random(configuration, seed: seed), kernels: kernels, pool: pool)
    }

    /// What ends a completion: the ids of the directory's files, or else the tokenizer's own end.
    ///
    /// - Throws: A ``RoleFailure`` where there are more than a message can carry.
    public static func generation(
        of directory: ModelDirectory, _ tokenizer: any Tokenizer
    ) throws -> GenerationConfiguration {
        var generation = directory.generation
        if generation.stopTokens.isEmpty, let end = tokenizer.endOfSequence,
            (0..<Int32(directory.configuration.vocabularySize)).contains(end)
        {
            generation.stopTokens = [end]
        }
        guard generation.stopTokens.count <= SamplingParameters.maximumStopTokens else {
            throw RoleFailure(
                .badInput,
                "\(directory.path) names \(generation.stopTokens.count) ids as eos_token_id, and "
                    + "\(SamplingParameters.maximumStopTokens) are the limit.",
                advice: "Shorten the list in generation_config.json.")
        }
        return generation
    }

    /// Writes weights as a Hugging Face directory, with the files that stood beside the model that training began with.
    public func write(_ weights: ModelWeights, to path: String) throws {
        try Self.write(weights, companions: try companions(), generation: generation, to: path)
    }

    /// What makes a checkpoint a Hugging Face directory as well.
    public func checkpointCompanions() throws -> ModelCompanions {
        ModelCompanions(generation: generation, files: try companions())
    }

    /// Writes weights that were made from those of a directory, with the files that stand beside those.
    public static func write(_ weights: ModelWeights, asChangeOf directory: ModelDirectory, to path: String) throws {
        try write(weights, companions: try companions(of: directory), generation: directory.generation, to: path)
    }

    /// The tokenizer's files and the chat template, byte for byte as they were, and what a `generation_config.json` that
    /// names the stop tokens says beside them.
    private func companions() throws -> [String: [UInt8]] {
        if let directory { return try Self.companions(of: directory) }
        return (prompts.tokenizer as? ByteLevelTokenizer).map(Self.companions(of:)) ?? [:]
    }

    private static func companions(of directory: ModelDirectory) throws -> [String: [UInt8]] {
        var companions: [String: [UInt8]] = [:]
        for file in try TokenizerDirectory.companionFiles(directory.path) { companions[file.name] = try file.read() }
        let name = "generation_config.json"
        if let data = FileManager.default.contents(atPath: directory.path + "/" + name),
            let document = try? JSONValue.parse([UInt8](data)), document["eos_token_id"] ?? .null != .null
        {
            companions[name] = [UInt8](data)
        }
        return companions
    }

    /// Writes the weights of a built-in shape as a Hugging Face directory.
    public static func write(
        _ weights: ModelWeights, tokenizer: ByteLevelTokenizer, generation: GenerationConfiguration, to path: String
    ) throws {
        try write(weights, companions: companions(of: tokenizer), generation: generation, to: path)
    }

    private static func companions(of tokenizer: ByteLevelTokenizer) -> [String: [UInt8]] {
        [TokenizerDirectory.configurationName: Array(TokenizerDirectory.configurationText(for: tokenizer).utf8)]
    }

    private static func write(
        _ weights: ModelWeights, companions: [String: [UInt8]], generation: GenerationConfiguration, to path: String
    ) throws {
        try ModelDirectory.write(
            to: path, configuration: weights.configuration, generation: generation, tensors: weights.sources,
            companions: companions)
    }
}
