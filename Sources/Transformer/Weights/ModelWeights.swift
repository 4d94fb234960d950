import Identity
import Safetensors
import Synchronization
import Tensors

/// The weights that a model computes with: bf16, row-major for lookup and hashing, and packed for the kernels.
///
/// Weights that come from master weights and weights that come from the file written from them have the same bits and the
/// same ``weightsHash``.
public final class ModelWeights: Sendable {
    /// Where each tensor lies in ``values``.
    public let layout: ParameterLayout
    /// All tensors row-major in one allocation, padding zero.
    public let values: Storage<BFloat16Bits>
    /// The packed matrices of each layer.
    public let layers: [LayerWeights]
    /// The packed output projection [vocabulary, hidden].
    public let output: PackedMatrix
    /// Cosines and sines of the positions, for layers that rotate.
    public let rotary: RotaryTable
    /// The table of the layers that do not rotate, where there are any.
    private let unrotated: RotaryTable?

    private let knownHash = Mutex<Hash256?>(nil)

    private init(layout: ParameterLayout) {
        let configuration = layout.configuration
        self.layout = layout
        values = Storage(count: layout.elementCount)
        layers = (0..<configuration.layers).map { _ in LayerWeights(configuration) }
        output = PackedMatrix(rows: configuration.vocabularySize, columns: configuration.hiddenSize)
        rotary = RotaryTable(
            headDimension: configuration.headDimension, base: configuration.ropeTheta,
            scaling: configuration.ropeScaling)
        unrotated =
            configuration.unrotatedLayers.isEmpty
            ? nil : RotaryTable.unrotated(headDimension: configuration.headDimension)
    }

    /// Rounds master weights.
    ///
    /// - Parameters:
    ///   - master: the binary32 parameters, left as they are.
    ///   - kernels: any row; all round alike.
    ///   - pool: threads to round and pack with.
    /// - Throws: `ModelError` when a weight is NaN, infinite, or rounds to infinity.
    public convenience init(master: MasterWeights, kernels: Kernels, pool: ComputePool) throws {
        self.init(layout: master.layout)
        try update(from: master, kernels: kernels, pool: pool)
    }

    /// Takes the tensors of files: BF16 as they are, F16 and F32 rounded; then merges an adapter into them, if there is one.
    ///
    /// - Throws: `ModelError` with the lists of missing, unexpected and mis-shaped tensors, for tied embeddings beside another
    ///   output projection, or for a weight that is not finite.
    public convenience init(
        _ configuration: ModelConfiguration, tensors: TensorCollection, adapter: AdapterFactors? = nil,
        kernels: Kernels, pool: ComputePool
    ) throws {
        let layout = ParameterLayout(configuration)
        let reader = try CheckpointReader(tensors, layout: layout)
        self.init(layout: layout)
        for slice in layout.slices { try reader.read(slice, into: values.pointer + slice.offset, kernels) }
        try checkFinite()
        if let adapter {
            precondition(adapter.layout.model == configuration, "an adapter of another model")
            AdapterMerge(adapter: adapter, kernels: kernels, pool: pool)
                .run(base: values.pointer, from: 0, into: values.pointer)
            try checkFinite(adapter.layout.pairs.map(\.weight))
        }
        pack(kernels, pool)
    }

    /// Rounds master weights into this object, which nobody may read meanwhile.
    ///
    /// For a trainer that makes a version per step and would otherwise allocate all weights anew.
    ///
    /// - Throws: `ModelError` when a weight is NaN, infinite, or rounds to infinity.
    public func update(from master: MasterWeights, kernels: Kernels, pool: ComputePool) throws {
        precondition(master.layout == layout, "master weights of another model")
        knownHash.withLock { $0 = nil }
        let block = 1 << 16
        pool.run((layout.elementCount + block - 1) / block) { task, _ in
            let start = task * block
            kernels.roundToBFloat16(
                master.values.pointer + start, into: values.pointer + start,
                count: min(block, layout.elementCount - start))
        }
        try checkFinite()
        pack(kernels, pool)
    }

    /// Lets `body` write some tensors of this object, which nobody may read meanwhile, and takes the result in.
    ///
    /// - Parameters:
    ///   - changed: matrices of layers; no other tensor may be written.
    ///   - body: receives the first element of the whole allocation.
    /// - Throws: `ModelError` when a changed weight is not finite.
    func rewrite(
        _ changed: [TensorSlice], kernels: Kernels, pool: ComputePool, _ body: (UnsafeMutablePointer<BFloat16Bits>) -> Void
    ) throws(ModelError) {
        knownHash.withLock { $0 = nil }
        body(values.pointer)
        try checkFinite(changed)
        pool.run(layers.count) { layer, _ in layers[layer].pack(layout.layers[layer], kernels) { self[$0] } }
    }

    /// The configuration of the model.
    public var configuration: ModelConfiguration { layout.configuration }

    /// The rotary table of a layer.
    public func rotary(layer: Int) -> RotaryTable {
        guard let unrotated, !configuration.isRotated(layer: layer) else { return rotary }
        return unrotated
    }

    /// The first element of a tensor, row-major; the pointer is good while this object lives.
    public subscript(slice: TensorSlice) -> UnsafePointer<BFloat16Bits> {
        UnsafePointer(values.pointer + slice.offset)
    }

    /// The elements of the tensor of that name, row-major, or nil where the model has none.
    public func tensor(named name: String) -> UnsafeBufferPointer<BFloat16Bits>? {
        layout.slice(named: name).map { UnsafeBufferPointer(rebasing: values.buffer[$0.range]) }
    }

    /// The tensors as BF16.
    public var sources: [TensorSource] {
        layout.slices.map { slice in
            TensorSource(name: slice.name, type: .bfloat16, shape: slice.shape) { body in
                try body(UnsafeRawBufferPointer(UnsafeBufferPointer(start: self[slice], count: slice.count)))
            }
        }
    }

    /// The identity of the weights (``weightsHash(of:)``), computed once on first use.
    public var weightsHash: Hash256 {
        knownHash.withLock { known in
            if let known { return known }
            var hash = WeightsHasher()
            for slice in layout.slices.sorted(by: { precedes($0.name, $1.name) }) {
                let elements = UnsafeBufferPointer(start: self[slice], count: slice.count)
                hash.add(name: slice.name, type: .bfloat16, shape: slice.shape, UnsafeRawBufferPointer(elements))
            }
            let result = hash.finalize()
            known = result
            return result
        }
    }

    private func checkFinite(_ slices: [TensorSlice]? = nil) throws(ModelError) {
        for slice in slices ?? layout.slices where !Kernels.isFinite(self[slice], count: slice.count) {
            throw ModelError.notFinite(slice.name)
        }
    }

    private func pack(_ kernels: Kernels, _ pool: ComputePool) {
        pool.run(layers.count + 1) { task, _ in
            if task == layers.count {
                let slice = layout.outputProjection ?? layout.embedding
                output.pack(self[slice], rows: configuration.vocabularySize, at: 0)
            } else {
                layers[task].pack(layout.layers[task], kernels) { self[$0] }
            }
        }
    }
}
