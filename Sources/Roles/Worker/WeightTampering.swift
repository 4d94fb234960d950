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

    private let previous = PreviousFiles()

    /// The wrong weights for a version whose right ones lie in `files`.
    func weights(
        for version: PolicyVersion, in files: PolicyFiles, honest: ModelWeights, _ kernels: Kernels, _ pool: ComputePool
    ) throws -> ModelWeights {
        let source = try previous.exchange(version.number, files)?.weights(kernels: kernels, pool: pool) ?? honest
        let master = MasterWeights(widening: source)
        let tensor = master[master.layout.layers[0].down]
        for index in tensor.indices { tensor[index] *= Self.scale }
        return try ModelWeights(master: master, kernels: kernels, pool: pool)
    }
}
