import Foundation
import Identity
import Safetensors
import Tensors

/// Packed weights in files that all processes of one user on a machine map: one copy in memory however many compute.
///
/// A file is named after the weights hash and the layout of the tensors, built once under a lock, renamed into place when
/// it is complete, and verified against its own digest whenever it is opened: a file that is torn, damaged or of another
/// version is built again. The digest stands in the file, so it protects from accidents and not from somebody who can
/// write to the folder; that is its owner alone (mode 0700), who could change the program as well.
///
/// Where sharing fails (full or read-only disk, folder open to others), weights go to private memory and
/// ``ModelWeights/residence`` says why. Small models are always private: there is nothing to win.
public struct WeightsCache: Sendable {
    /// The folder.
    public let directory: String
    /// What all files may take together, in bytes; those unused for longest go first.
    public let maximumByteCount: Int
    /// Weights below this size stay private.
    public let minimumByteCount: Int

    /// The size from which on weights are shared, in bytes.
    public static let defaultMinimumByteCount = 64 << 20

    /// A cache in a folder.
    public init(
        directory: String, maximumByteCount: Int = 16 << 30, minimumByteCount: Int = defaultMinimumByteCount
    ) {
        self.directory = directory
        self.maximumByteCount = maximumByteCount
        self.minimumByteCount = minimumByteCount
    }

    /// The user's cache: `$APUS_WEIGHTS_CACHE` (`off` for none), else `apus/weights` in `$XDG_CACHE_HOME` or `~/.cache`.
    public static let standard: WeightsCache? = {
        let environment = ProcessInfo.processInfo.environment
        if let own = environment["APUS_WEIGHTS_CACHE"], !own.isEmpty {
            return own == "off" ? nil : WeightsCache(directory: own)
        }
        if let caches = environment["XDG_CACHE_HOME"], caches.hasPrefix("/") {
            return WeightsCache(directory: "\(caches)/apus/weights")
        }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return WeightsCache(directory: "\(home)/.cache/apus/weights")
    }()

    /// Loads the weights of a model.
    ///
    /// - Parameters:
    ///   - adapter: merged into them; `expected` must then be known.
    ///   - expected: the weights hash where it is known, which saves computing it from the tensors. Weights that are found
    ///     in the cache have it; the caller compares the hash of others.
    /// - Throws: what ``ModelWeights/init(_:tensors:kernels:pool:)`` throws.
    func weights(
        _ configuration: ModelConfiguration, tensors: TensorCollection, adapter: AdapterFactors?, expected: Hash256?,
        kernels: Kernels, pool: ComputePool
    ) throws -> ModelWeights {
        let layout = ParameterLayout(configuration)
        let request = Request(
            layout: layout, reader: try CheckpointReader(tensors, layout: layout), adapter: adapter,
            expected: expected, kernels: kernels, pool: pool)
        guard request.byteCount >= minimumByteCount else { return try request.privateWeights() }
        do {
            return try shared(request)
        } catch let failure as CacheFailure {
            return try request.privateWeights(because: failure.reason)
        }
    }

    private func shared(_ request: Request) throws -> ModelWeights {
        let folder = CacheFolder(path: directory)
        try folder.prepare()
        var request = request
        if let found = try find(&request, in: folder) { return found }
        return try folder.locked(key: request.shortKey) {
            // Whoever held the lock before may have built them.
            if let found = try find(&request, in: folder) { return found }
            folder.removePartials(key: request.shortKey)
            try folder.makeRoom(for: request.byteCount + PanelFileHeader.byteCount, maximum: maximumByteCount)
            return try build(request)
        }
    }

    private func find(_ request: inout Request, in folder: CacheFolder) throws -> ModelWeights? {
        let names = folder.files(key: request.shortKey)
        guard !names.isEmpty else { return nil }
        let hash = try request.weightsHash()
        let name = CacheFolder.name(weights: hash.hex, key: request.shortKey)
        guard names.contains(name) else { return nil }
        let path = "\(directory)/\(name)"
        guard
            let file = PanelFile.open(
                path, layoutKey: request.key, weightsHash: hash, payloadByteCount: request.byteCount, pool: request.pool
            )
        else { return nil }
        return ModelWeights(
            layout: request.layout, panels: request.panels, memory: file.elements, residence: .shared(path: path),
            knownHash: hash)
    }

    private func build(_ request: Request) throws -> ModelWeights {
        let temporary = "\(directory)/\(CacheFolder.partialName(key: request.shortKey))"
        var built: ModelWeights?
        try PanelFile.build(
            temporary, layoutKey: request.key, payloadByteCount: request.byteCount, pool: request.pool
        ) { file in
            // The name follows from what was packed, whatever was expected.
            let draft = ModelWeights(
                layout: request.layout, panels: request.panels, memory: file.elements,
                residence: .privateMemory(reason: nil))
            try draft.read(
                request.reader, adapter: request.adapter, kernels: request.kernels, pool: request.pool)
            let hash = draft.weightsHash
            let path = "\(directory)/\(CacheFolder.name(weights: hash.hex, key: request.shortKey))"
            built = ModelWeights(
                layout: request.layout, panels: request.panels, memory: file.elements, residence: .shared(path: path),
                knownHash: hash)
            return (hash, path)
        }
        guard let built else { throw CacheFailure("they could not be built") }
        return built
    }

    /// Weights that are asked for.
    private struct Request {
        let layout: ParameterLayout
        let panels: PanelLayout
        let reader: CheckpointReader
        let adapter: AdapterFactors?
        let kernels: Kernels
        let pool: ComputePool
        let key: Hash256
        private var hash: Hash256?

        init(
            layout: ParameterLayout, reader: CheckpointReader, adapter: AdapterFactors?, expected: Hash256?,
            kernels: Kernels, pool: ComputePool
        ) {
            self.layout = layout
            self.reader = reader
            self.adapter = adapter
            self.kernels = kernels
            self.pool = pool
            panels = PanelLayout(layout)
            key = PanelFileHeader.key(of: layout)
            hash = expected
        }

        var byteCount: Int { panels.elementCount * MemoryLayout<BFloat16Bits>.stride }
        /// Enough of the key for a file name.
        var shortKey: String { String(key.hex.prefix(16)) }

        /// The hash that was expected, else that of the checkpoint's tensors as they will be computed with.
        mutating func weightsHash() throws -> Hash256 {
            if let hash { return hash }
            let computed = try reader.weightsHash(layout, kernels)
            hash = computed
            return computed
        }

        func privateWeights(because reason: String? = nil) throws -> ModelWeights {
            let weights = ModelWeights(layout: layout, notShared: reason)
            try weights.read(reader, adapter: adapter, kernels: kernels, pool: pool)
            return weights
        }
    }
}
