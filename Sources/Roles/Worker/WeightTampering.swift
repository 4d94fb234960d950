import Orchestration
import Tensors
import Transformer

/// What a dishonest worker does, for demonstrations and tests of the audit: it decodes with the previous version's
/// weights, slightly perturbed, and claims the current one.
///
/// The groups look right: fluent text, proper log-probabilities, valid commitments, of the wrong weights.
final class WeightTampering: Sendable {
    /// Relative size of the perturbation: two steps of bf16, far below what a reader of the text would notice.
    private static let scale: Float = 1 + 1 / 64

    private let previous = PreviousDirectory()

    /// The wrong weights for a version whose right ones lie in `directory`.
    func weights(
        for version: PolicyVersion, at directory: String, honest: ModelWeights, _ kernels: Kernels, _ pool: ComputePool
    ) throws -> ModelWeights {
        let source = previous.exchange(version.number, directory) ?? directory
        let master = try ModelDirectory(opening: source).masterWeights()
        let tensor = master[master.layout.layers[0].down]
        for index in tensor.indices { tensor[index] *= Self.scale }
        return try ModelWeights(master: master, kernels: kernels, pool: pool)
    }
}
