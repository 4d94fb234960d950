import Orchestration
import Tensors
import Transformer

/// Reads and packs weights on a thread of its own, beside generation.
actor WeightLoader {
    nonisolated let executor: ComputeExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let kernels: Kernels
    // One thread: generation keeps the others.
    private let pool = ComputePool(threads: 1)
    private let tampering: WeightTampering?
    private let retired: RetiredWeights

    init(kernels: Kernels, tampering: WeightTampering?, retired: RetiredWeights) {
        self.kernels = kernels
        self.retired = retired
        self.tampering = tampering
        executor = ComputeExecutor(name: "weights")
    }

    deinit { executor.stop() }

    /// What the version's model needs, without loading it.
    func inspect(_ files: PolicyFiles) throws -> ModelInspection {
        ModelInspection(try ModelDirectory(opening: files.model))
    }

    /// Loads what a version is computed with, after what is retired is gone.
    ///
    /// - Throws: A ``RoleFailure`` when the files hold other weights than the lease names.
    func load(_ version: PolicyVersion, _ files: PolicyFiles) throws -> ModelWeights {
        retired.discard()
        let weights = try files.weights(kernels: kernels, pool: pool, expected: version.weightsHash)
        guard weights.weightsHash == version.weightsHash else {
            throw RoleFailure(
                .badInput, "Version \(version.number) in \(files.place) holds other weights than its lease names.",
                advice: "Delete the directory; it will be fetched again.")
        }
        return try tampering?.weights(for: version, in: files, honest: weights, kernels, pool) ?? weights
    }

    /// Lets go of what is retired, here and not between two steps.
    func discardRetired() {
        retired.discard()
    }
}
