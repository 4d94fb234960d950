import Identity
import Logging
import Orchestration
import Shardcast
import Tensors
import Transformer

/// Makes weights ready to compute with on a thread of its own, beside generation: out of files, or out of the weights of
/// the version before.
actor WeightLoader {
    nonisolated let executor: ComputeExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let kernels: Kernels
    // One thread: generation keeps the others.
    private let pool = ComputePool(threads: 1)
    private let tampering: WeightTampering?
    private let retired: RetiredWeights
    private let freeMemory: @Sendable () -> Int?
    /// What the newest versions were read from, by their weights hash, oldest first.
    private var maps: [(weights: Hash256, map: CheckpointMap)] = []
    private static let mostMaps = 4

    /// - Parameter freeMemory: bytes that the machine can spare, or nil where it does not say.
    init(
        kernels: Kernels, tampering: WeightTampering?, retired: RetiredWeights,
        freeMemory: @escaping @Sendable () -> Int? = { AvailableMemory.bytes }
    ) {
        self.kernels = kernels
        self.freeMemory = freeMemory
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
        // Without a map the next version is loaded from files as well, and nothing else.
        if files.adapter == nil, let map = try? CheckpointMap(files) { remember(map, version.weightsHash) }
        return try tampering?.weights(for: version, in: files, honest: weights, kernels, pool) ?? weights
    }

    /// Makes a version of the weights that differences start from, in memory, and checks it against the hash that its lease
    /// names.
    ///
    /// - Parameter base: those weights; nil where they were retired, which makes their memory that of the version.
    /// - Throws: Why the version has to be loaded from its files.
    func revise(
        _ base: ModelWeights?, by differences: [WeightDifference], to version: PolicyVersion
    ) throws -> ModelWeights {
        guard tampering == nil, let first = differences.first, let last = differences.last,
            last.manifest.weightsHash == version.weightsHash
        else { throw RevisionRefusal("no differences lead to it") }
        var own = base == nil ? retired.take(first.base.weightsHash) : nil
        let isAlone = own?.isPrivate == true && isKnownUniquelyReferenced(&own)
        // Retired weights that cannot be written are gone after this, as ever.
        retired.discard()
        guard let weights = base ?? own, weights.weightsHash == first.base.weightsHash,
            let map = maps.last(where: { $0.weights == first.base.weightsHash })?.map
        else { throw RevisionRefusal("version \(first.base.version) is not in memory any more") }
        // Pages of files can be given back to the system and shared with other processes; memory of our own cannot.
        if !isAlone, let free = freeMemory(), free < 2 * weights.byteCount {
            throw RevisionRefusal("only \(free >> 20) MiB of memory are free")
        }
        let configuration = last.manifest.files.first { $0.name == "config.json" }
        guard configuration?.sha256 == map.configuration else { throw RevisionRefusal("its config.json is another") }
        var revision = try TensorRevision(try DifferenceReader(differences), map, weights.layout)
        let revised = try weights.revised(inPlace: isAlone, by: &revision)
        guard revised.weightsHash == version.weightsHash else {
            throw RevisionRefusal(
                isAlone || weights.isIntact
                    ? "what the differences lead to has another hash"
                    : "the weights of version \(first.base.version) have changed in memory since they were checked: "
                        + "this machine's memory may be faulty")
        }
        remember(map, version.weightsHash)
        return revised
    }

    /// Lets go of what is retired, here and not between two steps.
    func discardRetired() {
        retired.discard()
    }

    private func remember(_ map: CheckpointMap, _ weights: Hash256) {
        maps.removeAll { $0.weights == weights }
        maps.append((weights, map))
        if maps.count > Self.mostMaps { maps.removeFirst() }
    }
}
