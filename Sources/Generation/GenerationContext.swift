import Identity
import Proofs

/// What all groups of an engine have in common beside the weights.
public struct GenerationContext: Sendable, Hashable {
    /// The run, which the sampling noise depends on; zero outside a run.
    public var runID: Hash256
    /// The key that commitments bind, or nil to generate without evidence.
    public var workerKey: PublicKey?
    /// Whether top-k, top-p and min-p are allowed; off where a policy is trained on its samples.
    public var allowsFilters: Bool
    /// How rows are cut into chunks.
    public var chunking: Chunking

    /// A context of a run; without a worker's key, samples carry no commitments and no proofs.
    public init(
        runID: Hash256, workerKey: PublicKey?, allowsFilters: Bool = false, chunking: Chunking = .standard
    ) {
        self.runID = runID
        self.workerKey = workerKey
        self.allowsFilters = allowsFilters
        self.chunking = chunking
    }
}
