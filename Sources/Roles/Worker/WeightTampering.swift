import Adversaries
import Orchestration
import Tensors
import Transformer

/// What a dishonest worker does, for demonstrations and tests of the audit: it decodes with the previous version's
/// weights, one tensor of them perturbed, and claims the current one.
///
/// The groups look right: fluent text, proper log-probabilities, valid commitments, of the wrong weights.
final class WeightTampering: Sendable {
    private let previous = PreviousFiles()

    /// The wrong weights for a version whose right ones lie in `files`.
    func weights(
        for version: PolicyVersion, in files: PolicyFiles, honest: ModelWeights, _ kernels: Kernels, _ pool: ComputePool
    ) throws -> ModelWeights {
        let source = try previous.exchange(version.number, files)?.weights(kernels: kernels, pool: pool) ?? honest
        return try WeightChange.changed(source, kernels: kernels, pool: pool) { master in
            // The first version has no one before it; the perturbation alone is enough to be caught by.
            WeightChange.nudge(master[master.layout.layers[0].down], share: 0.01, seed: version.number)
        }
    }
}
