import Foundation
import Identity
import JSON
import Safetensors
import Tensors

/// A model in Hugging Face layout: `config.json`, `generation_config.json`, weights, and a tokenizer's files beside them.
public struct ModelDirectory: Sendable {
    /// Where it is.
    public let path: String
    /// What `config.json` says.
    public let configuration: ModelConfiguration
    /// What `generation_config.json` says, or `config.json` where there is no such file.
    public let generation: GenerationConfiguration
    /// The tensors, mapped but not loaded.
    public let tensors: TensorCollection

    private static let maximumConfigurationByteCount = 1 << 20

    /// Opens a directory and checks everything but the tensors' values.
    ///
    /// - Throws: `ModelError` or `SafetensorsError` saying which file is missing or wrong.
    public init(opening path: String) throws {
        self.path = path
        configuration = try Self.configuration(at: path)
        // Where generation_config.json is missing or names no stop tokens, they stand in config.json.
        let own = "\(path)/generation_config.json"
        let places = (FileBytes.exists(own) ? [own] : []) + ["\(path)/config.json"]
        var found: GenerationConfiguration?
        for place in places where found?.stopTokens.isEmpty ?? true {
            let next = try GenerationConfiguration(
                json: try Self.document(at: place), vocabularySize: configuration.vocabularySize, place: place)
            found = GenerationConfiguration(stopTokens: next.stopTokens, padToken: found?.padToken ?? next.padToken)
        }
        generation = found ?? GenerationConfiguration(stopTokens: [])
        tensors = try TensorCollection(directory: path)
    }

    /// Reads `config.json` alone.
    ///
    /// - Throws: `ModelError` or `SafetensorsError`.
    public static func configuration(at path: String) throws -> ModelConfiguration {
        let place = "\(path)/config.json"
        return try ModelConfiguration(configJSON: try document(at: place), place: place)
    }

    /// Loads the weights to compute with.
    ///
    /// - Parameters:
    ///   - adapter: merged into them, if there is one.
    ///   - expected: the weights hash where it is known, after merging; see ``WeightsCache``. The caller compares.
    ///   - cache: where weights are shared with other processes; nil for private memory.
    /// - Throws: `ModelError` when tensors and configuration disagree, the adapter was made for another model, or a weight
    ///   is not finite.
    public func weights(
        adapter: AdapterDirectory? = nil, kernels: Kernels, pool: ComputePool, expected: Hash256? = nil,
        cache: WeightsCache? = .standard
    ) throws -> ModelWeights {
        let factors = try adapter?.factors(for: ParameterLayout(configuration), kernels: kernels)
        // The name of a shared file is the hash, which for merged weights is known after merging only.
        guard let cache, factors == nil || expected != nil else {
            return try ModelWeights(configuration, tensors: tensors, adapter: factors, kernels: kernels, pool: pool)
        }
        return try cache.weights(
            configuration, tensors: tensors, adapter: factors, expected: expected, kernels: kernels, pool: pool)
    }

    /// The identity of the weights, without loading them.
    ///
    /// - Throws: `ModelError` when tensors and configuration disagree.
    public func weightsHash(kernels: Kernels) throws -> Hash256 {
        let layout = ParameterLayout(configuration)
        return try CheckpointReader(tensors, layout: layout).weightsHash(layout, kernels)
    }

    /// Loads the weights to train.
    ///
    /// - Throws: `ModelError` when tensors and configuration disagree.
    public func masterWeights() throws -> MasterWeights {
        try MasterWeights(configuration, tensors: tensors)
    }

    /// Writes a directory that is complete or not there: beside the destination, synced, then renamed.
    ///
    /// - Parameters:
    ///   - path: the destination; it must not exist, or be empty.
    ///   - configuration: the content of `config.json`.
    ///   - generation: the content of `generation_config.json`.
    ///   - tensors: the content of `model.safetensors`, or of parts and their index above 4 GiB.
    ///   - companions: further files by plain name, such as `tokenizer_config.json`; one that is named
    ///     `generation_config.json` stands for `generation`.
    /// - Throws: `ModelError` or `SafetensorsError`; nothing is left at the destination then.
    public static func write(
        to path: String, configuration: ModelConfiguration, generation: GenerationConfiguration,
        tensors: [TensorSource], companions: [String: [UInt8]] = [:]
    ) throws {
        let temporary = "\(path).\(getpid()).partial"
        try? FileManager.default.removeItem(atPath: temporary)
        guard mkdir(temporary, 0o755) == 0 else { throw failure("cannot create the directory", path) }
        do {
            try PartsWriter.write(tensors, to: temporary)
            let document = try configuration.configJSON(generation: generation, place: "\(path)/config.json")
            try DurableFile.write(document.indentedText, to: "\(temporary)/config.json")
            try DurableFile.write(generation.json.indentedText, to: "\(temporary)/generation_config.json")
            for (name, bytes) in companions {
                precondition(!name.contains("/") && !name.hasPrefix("."), "\(name) is no plain file name")
                try DurableFile.write(bytes, to: "\(temporary)/\(name)")
            }
            try DurableFile.synchronizeFolder(temporary)
            guard rename(temporary, path) == 0 else {
                throw failure("cannot put the directory in place (delete what is there, or choose another name)", path)
            }
            try DurableFile.synchronizeFolder(of: path)
        } catch {
            try? FileManager.default.removeItem(atPath: temporary)
            throw error
        }
    }

    private static func document(at place: String) throws -> JSONValue {
        let bytes = try FileBytes.read(place, atMost: maximumConfigurationByteCount)
        do throws(JSONError) {
            return try JSONValue.parse(bytes)
        } catch {
            throw ModelError(.malformedConfiguration, place: place, "it is not valid JSON: \(error)")
        }
    }

    private static func failure(_ what: String, _ path: String) -> ModelError {
        ModelError(.inputOutput, place: path, "\(what): \(String(cString: strerror(errno)))")
    }
}

extension ModelWeights {
    /// Writes a model directory with these weights; see ``ModelDirectory/write(to:configuration:generation:tensors:companions:)``.
    ///
    /// - Throws: `ModelError` or `SafetensorsError`; nothing is left at the destination then.
    public func write(
        directory: String, generation: GenerationConfiguration, companions: [String: [UInt8]] = [:]
    ) throws {
        try ModelDirectory.write(
            to: directory, configuration: configuration, generation: generation, tensors: sources,
            companions: companions)
    }
}
