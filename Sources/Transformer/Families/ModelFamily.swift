import JSON

/// A `model_type` of Hugging Face: how its `config.json` is read and written.
///
/// A family computes nothing of its own. It sets the switches of ``ModelConfiguration``; layers, tensors, decoder and
/// training follow from those. `docs/adding-a-model-family.md` walks through adding one.
public struct ModelFamily: Sendable {
    /// The `model_type`.
    public let modelType: String
    /// The class that `transformers` opens it with.
    public let architecture: String
    /// Reads the keys of a file; faults are noted in the reader.
    let read: @Sendable (inout ConfigurationReader) -> ModelConfiguration
    /// The keys that the file has beside those of all families.
    let write: @Sendable (ModelConfiguration) -> [String: JSONValue]

    /// All families, in the order in which errors list them.
    public static let all: [ModelFamily] = [.llama, .mistral, .qwen2, .qwen3, .smolLM3]

    /// The family of a `model_type`.
    ///
    /// - Throws: `ModelError` that lists the supported ones.
    static func named(_ modelType: String?, place: String) throws(ModelError) -> ModelFamily {
        guard let family = all.first(where: { $0.modelType == modelType }) else {
            let found = modelType.map { "\"\($0)\"" } ?? "missing"
            throw ModelError(
                .unsupported, place: place,
                "model_type is \(found), and this version computes \(all.map(\.modelType).joined(separator: ", "))")
        }
        return family
    }
}
