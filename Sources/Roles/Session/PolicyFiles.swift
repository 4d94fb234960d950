import Identity
import Tensors
import Transformer

/// Where the weights of a policy version lie on this machine's disk: a model, and the adapter to merge into it if the
/// version is one.
struct PolicyFiles: Sendable, Hashable {
    /// A Hugging Face directory.
    let model: String
    /// An adapter's directory; nil where the model is the version.
    let adapter: String?

    /// The directory that holds the version itself, for messages.
    var place: String { adapter ?? model }

    /// Loads what the version computes with.
    ///
    /// - Parameter expected: The hash that the weights should have, for sharing them with others; the caller compares.
    /// - Throws: `ModelError` or `SafetensorsError`.
    func weights(kernels: Kernels, pool: ComputePool, expected: Hash256? = nil) throws -> ModelWeights {
        try ModelDirectory(opening: model).weights(
            adapter: try adapter.map { try AdapterDirectory(opening: $0) }, kernels: kernels, pool: pool,
            expected: expected)
    }
}
