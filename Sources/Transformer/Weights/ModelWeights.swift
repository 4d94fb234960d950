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
    /// Cosines and sines of the positions.
    public let rotary: RotaryTable

    private let knownHash = Mutex<Hash256?>(nil)

    private init(layout: ParameterLayout) {
        let configuration = layout.configuration
        self.layout = layout
        values = Storage(count: layout.elementCount)
        layers = (0..<configuration.layers).map { _ in LayerWeights(configuration) }
        output = PackedMatrix(rows: configuration.vocabularySize, columns: configuration.hiddenSize)
        rotary = RotaryTable(headDimension: configuration.headDimension, base: configuration.ropeTheta)
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

    /// Takes the tensors of files: BF16 as they are, F32 rounded; then merges an adapter into them, if there is one.
    ///
    /// - Throws: `ModelError` with the lists of missing, unexpected and mis-shaped tensors, or for a weight that is not
    ///   finite.
    public convenience init(
        _ configuration: ModelConfiguration, tensors: TensorCollection, adapter: AdapterFactors? = nil,
        kernels: Kernels, pool: ComputePool
    ) throws {
        let layout = ParameterLayout(configuration)
        try TensorCheck.verify(tensors, against: layout, types: [.bfloat16, .float32])
        self.init(layout: layout)
        for slice in layout.slices {
            let file = try tensors.file(holding: slice.name)
            let destination = UnsafeMutableBufferPointer(rebasing: values.buffer[slice.range])
            if file.tensors[slice.name]?.type == .bfloat16 {
                try file.copy(slice.name, as: .bfloat16, shape: slice.shape, to: destination)
            } else {
                let source = try file.load(slice.name, as: .float32, shape: slice.shape, Float.self)
                withExtendedLifetime(source) {
                    kernels.roundToBFloat16(source.pointer, into: values.pointer + slice.offset, count: slice.count)
                }
            }
        }
        try checkFinite()
        if let adapter {
            precondition(adapter.layout.model == configuration, "an adapter of another model")
            AdapterMerge(adapter: adapter, kernels: kernels, pool: pool)
                .run(base: values.pointer, from: 0, into: values.pointer)
            try checkFinite(adapter.layout.pairs.map(\.weight))
        }
        pack(pool)
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
        pack(pool)
    }

    /// Lets `body` write some tensors of this object, which nobody may read meanwhile, and takes the result in.
    ///
    /// - Parameters:
    ///   - changed: matrices of layers; no other tensor may be written.
    ///   - body: receives the first element of the whole allocation.
    /// - Throws: `ModelError` when a changed weight is not finite.
    func rewrite(
        _ changed: [TensorSlice], pool: ComputePool, _ body: (UnsafeMutablePointer<BFloat16Bits>) -> Void
    ) throws(ModelError) {
        knownHash.withLock { $0 = nil }
        body(values.pointer)
        try checkFinite(changed)
        pool.run(layers.count) { layer, _ in layers[layer].pack(layout.layers[layer]) { self[$0] } }
    }

    /// The configuration of the model.
    public var configuration: ModelConfiguration { layout.configuration }

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
            throw ModelError(
                .notFinite, place: slice.name, "the tensor holds NaN or infinity; go back to an earlier checkpoint")
        }
    }

    private func pack(_ pool: ComputePool) {
        pool.run(layers.count + 1) { task, _ in
            if task == layers.count {
                let slice = layout.outputProjection ?? layout.embedding
                output.pack(self[slice], rows: configuration.vocabularySize, at: 0)
            } else {
                layers[task].pack(layout.layers[task]) { self[$0] }
            }
        }
    }
}

/// The packed matrices of one layer; matrices that share an input are one product.
public struct LayerWeights: Sendable {
    /// q, k and v below each other [queryWidth + 2 × keyValueWidth, hidden].
    public let queryKeyValue: PackedMatrix
    /// The projection back to the residual stream [hidden, queryWidth].
    public let attentionOutput: PackedMatrix
    /// Gate and up below each other [2 × inner, hidden].
    public let gateUp: PackedMatrix
    /// The down projection [hidden, inner].
    public let down: PackedMatrix

    init(_ configuration: ModelConfiguration) {
        let hidden = configuration.hiddenSize
        queryKeyValue = PackedMatrix(
            rows: configuration.queryWidth + 2 * configuration.keyValueWidth, columns: hidden)
        attentionOutput = PackedMatrix(rows: hidden, columns: configuration.queryWidth)
        gateUp = PackedMatrix(rows: 2 * configuration.intermediateSize, columns: hidden)
        down = PackedMatrix(rows: hidden, columns: configuration.intermediateSize)
    }

    func pack(_ slices: LayerSlices, from tensor: (TensorSlice) -> UnsafePointer<BFloat16Bits>) {
        let plan: [(PackedMatrix, [TensorSlice])] = [
            (queryKeyValue, [slices.query, slices.key, slices.value]), (attentionOutput, [slices.output]),
            (gateUp, [slices.gate, slices.up]), (down, [slices.down]),
        ]
        for (matrix, parts) in plan {
            var row = 0
            for part in parts {
                matrix.pack(tensor(part), rows: part.shape[0], at: row)
                row += part.shape[0]
            }
        }
    }
}
