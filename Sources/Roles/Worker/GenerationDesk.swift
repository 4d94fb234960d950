import Generation
import Identity
import Orchestration
import Tensors
import Transformer

/// A worker's arithmetic, on a thread of its own: one engine per policy version that is still in use.
actor GenerationDesk {
    /// A finished group and the version that made it.
    struct Finished: Sendable {
        let version: UInt64
        let group: GroupResult
        /// The group's share of the computing time.
        let seconds: Double
    }

    nonisolated let executor: ComputeExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let kernels: Kernels
    private let pool: ComputePool
    private let context: GenerationContext
    private let capacity: GenerationCapacity
    private let tampering: WeightTampering?
    private var engines: [UInt64: GenerationEngine] = [:]
    /// Computing time that no finished group has taken its share of yet.
    private var unclaimedSeconds = 0.0

    init(
        kernels: Kernels, threads: Int, context: GenerationContext, capacity: GenerationCapacity,
        tampering: WeightTampering?
    ) {
        self.kernels = kernels
        self.context = context
        self.capacity = capacity
        self.tampering = tampering
        pool = ComputePool(threads: threads)
        executor = ComputeExecutor(name: "generation")
    }

    /// Loads a version, unless it is loaded.
    ///
    /// - Returns: A sentence for the log where its weights could not be shared with other processes.
    /// - Throws: A ``RoleFailure`` when the files hold other weights than the lease names.
    func adopt(_ version: PolicyVersion, _ files: PolicyFiles) throws -> String? {
        guard engines[version.number] == nil else { return nil }
        let weights = try files.weights(kernels: kernels, pool: pool, expected: version.weightsHash)
        guard weights.weightsHash == version.weightsHash else {
            throw RoleFailure(
                .badInput, "Version \(version.number) in \(files.place) holds other weights than its lease names.",
                advice: "Delete the directory; it will be fetched again.")
        }
        let used = try tampering?.weights(for: version, in: files, honest: weights, kernels, pool) ?? weights
        engines[version.number] = GenerationEngine(
            weights: used, kernels: kernels, pool: pool, context: context,
            limits: capacity.limits(for: weights.configuration))
        // Old engines go when they have nothing left to do.
        engines = engines.filter { $0.key == version.number || !$0.value.isIdle }
        return weights.residence.complaint
    }

    func add(_ request: GroupRequest, version: UInt64) throws {
        guard let engine = engines[version] else {
            throw RoleFailure(.fault, "Version \(version) is not loaded.")
        }
        try engine.add(request)
    }

    func cancel(_ group: Hash256) {
        for engine in engines.values { _ = engine.cancel(group) }
    }

    /// One token for every sequence; the oldest version first, since its groups age.
    ///
    /// - Returns: The groups that this step finished, and whether anything is left to do.
    func step() throws -> (finished: [Finished], isIdle: Bool) {
        guard let (version, engine) = engines.filter({ !$0.value.isIdle }).min(by: { $0.key < $1.key }) else {
            return ([], true)
        }
        let began = ContinuousClock.now
        let groups = try engine.step()
        unclaimedSeconds += began.duration(to: .now) / .seconds(1)
        let share = unclaimedSeconds / Double(max(1, groups.count))
        if !groups.isEmpty { unclaimedSeconds = 0 }
        return (
            groups.map { Finished(version: version, group: $0, seconds: share) }, engines.values.allSatisfy(\.isIdle)
        )
    }

    /// Tokens generated so far, over all engines that are loaded.
    var tokensGenerated: UInt64 { engines.values.reduce(0) { $0 + $1.tokensGenerated } }
}

/// What a worker lends: sequences at once, and memory for their caches.
struct GenerationCapacity: Sendable {
    /// Samples decoded at the same time.
    let sequences: Int
    /// Bytes for key-value caches of one engine.
    let cacheBytes: Int

    func limits(for configuration: ModelConfiguration) -> GenerationLimits {
        GenerationLimits(sequences: sequences, cacheBytes: cacheBytes, configuration: configuration)
    }
}
