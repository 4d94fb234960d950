import Safetensors
import Transformer

/// The files beside the weights that make a checkpoint a Hugging Face directory: other programs open it as it is.
public struct ModelCompanions: Sendable {
    /// What `generation_config.json` says.
    public var generation: GenerationConfiguration
    /// Further files by plain name, such as the tokenizer's, copied from the model that training began with.
    public var files: [String: [UInt8]]

    /// Companions from their parts.
    public init(generation: GenerationConfiguration, files: [String: [UInt8]] = [:]) {
        self.generation = generation
        self.files = files
    }

    /// Writes them and `config.json` into a checkpoint's folder.
    ///
    /// - Throws: `SafetensorsError` or `ModelError`.
    func write(_ configuration: ModelConfiguration, to folder: String) throws {
        let document = try configuration.configJSON(generation: generation, place: "\(folder)/config.json")
        try DurableFile.write(document.indentedText, to: "\(folder)/config.json")
        try DurableFile.write(generation.json.indentedText, to: "\(folder)/generation_config.json")
        for (name, bytes) in files {
            precondition(!name.contains("/") && !name.hasPrefix("."), "\(name) is no plain file name")
            try DurableFile.write(to: "\(folder)/\(name)") { writer in try bytes.withUnsafeBytes(writer.write) }
        }
    }
}
