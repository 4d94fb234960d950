import Generation
import Proofs
import Tensors
import Transformer

/// What a worker lends: sequences at once, and memory for their caches.
struct GenerationCapacity: Sendable {
    /// Samples decoded at the same time.
    let sequences: Int
    /// Bytes for the key-value cache, over all versions.
    let cacheBytes: Int

    /// What a machine can hold of a model.
    struct Plan: Sendable, Hashable {
        /// The engine's bounds.
        var limits: GenerationLimits
        /// Versions of the weights in memory at once: two, so that one can be loaded while the other generates.
        var versions: Int
        /// What was made smaller than asked for, as a sentence for the log.
        var complaint: String?
    }

    /// The shortest prompt and completion, together, that a worker is worth joining for.
    private static let leastPositions = 512

    /// Fits the work into memory: first one version at a time, then a smaller cache.
    ///
    /// - Parameters:
    ///   - model: the run's model.
    ///   - available: bytes that the machine can spare, or nil where it does not say.
    /// - Throws: A ``RoleFailure`` when not even one version and a small cache fit.
    func plan(for model: ModelInspection, threads: Int, available: Int?) throws -> Plan {
        var plan = Plan(
            limits: GenerationLimits(
                sequences: sequences, cacheBytes: cacheBytes, configuration: model.configuration),
            versions: 2)
        guard let available else { return plan }
        let positions = min(model.configuration.maxPositions, Self.leastPositions)
        let cache = plan.limits.pages * KeyValueCache.pageByteCount(model.configuration)
        if 2 * model.weightBytes + besides(2, model, threads) + cache <= available { return plan }
        plan.versions = 1
        let besides = besides(1, model, threads)
        let room = available - model.weightBytes - besides
        let gibibytes = { (bytes: Int) in "\(Double((bytes * 100) >> 30) / 100) GiB" }
        if cache <= room {
            plan.complaint =
                "Memory suffices for one version of the weights (\(gibibytes(model.weightBytes))): "
                + "generation pauses while the next one is loaded."
            return plan
        }
        let smaller = GenerationLimits(sequences: sequences, cacheBytes: room, configuration: model.configuration)
        guard room > 0, smaller.pages * 16 >= positions else {
            throw RoleFailure(
                .fault,
                "The run's model needs \(gibibytes(model.weightBytes + besides)) beside the sequences in progress, "
                    + "and \(gibibytes(available)) are free.",
                advice: "Close other programs, or join with a machine that has more memory.")
        }
        plan.limits = smaller
        plan.complaint =
            "Sequences in progress get \(gibibytes(room)) instead of \(gibibytes(cacheBytes)), and one version of the "
            + "weights is held at a time: \(gibibytes(available)) of memory are free."
        return plan
    }

    /// What so many versions take beside weights and cache: each computes with buffers of its own, and every sample in
    /// progress keeps the rows of its chunk.
    private func besides(_ versions: Int, _ model: ModelInspection, _ threads: Int) -> Int {
        let configuration = model.configuration
        // Scratch and rotary tables grow to the longest sequence, which the cache bounds too.
        let pages = max(1, cacheBytes / KeyValueCache.pageByteCount(configuration))
        let positions = min(configuration.maxPositions, pages * KeyValuePageLayout.positions)
        let parts = model.generation(sequences: sequences, positions: positions, threads: threads).privateParts
        let bytes = { (name: String) in parts.first { $0.name == name }?.bytes ?? 0 }
        let rows = sequences * Chunking.standard.rows * configuration.hiddenSize * MemoryLayout<BFloat16Bits>.size
        return versions * bytes("workspace") + bytes("process") + rows
    }
}
