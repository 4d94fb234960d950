import Identity
import Safetensors
import Synchronization
import Tensors

/// The weights that a model computes with: bf16, packed for the kernels, and nothing twice.
///
/// Weights that come from master weights and weights that come from the file written from them have the same bits and the
/// same ``weightsHash``. The memory is private, or pages that the processes of a machine share (``WeightsCache``).
public final class ModelWeights: Sendable {
    /// The tensors and their order.
    public let layout: ParameterLayout
    /// The packed matrices of each layer.
    public let layers: [LayerWeights]
    /// The packed output projection [vocabulary, hidden].
    public let output: PackedMatrix
    /// The packed token embedding [vocabulary, hidden]; the output projection itself where they are tied.
    public let embedding: PackedMatrix
    /// Cosines and sines of the positions, for layers that rotate.
    public let rotary: RotaryTable
    /// Where the weights lie.
    public let residence: WeightsResidence

    /// The table of the layers that do not rotate, where there are any.
    private let unrotated: RotaryTable?
    let panels: PanelLayout
    let matrices: [PackedMatrix]
    /// The whole block of ``PanelLayout``.
    let memory: Storage<BFloat16Bits>
    let knownHash: Mutex<Hash256?>

    /// Takes a block as it is: zeros to be filled, or one that was filled before.
    ///
    /// - Parameter sibling: another version of the same model, whose tables of positions serve both.
    init(
        layout: ParameterLayout, panels: PanelLayout, memory: Storage<BFloat16Bits>, residence: WeightsResidence,
        knownHash: Hash256? = nil, sibling: ModelWeights? = nil
    ) {
        precondition(memory.count == panels.elementCount, "memory of another model")
        let configuration = layout.configuration
        self.layout = layout
        self.panels = panels
        self.memory = memory
        self.residence = residence
        self.knownHash = Mutex(knownHash)
        matrices = panels.matrices.map { matrix in
            let part = Storage(memory.pointer + matrix.offset, count: matrix.elementCount, owner: memory)
            return PackedMatrix(rows: matrix.rows, columns: matrix.columns, over: part)
        }
        let perLayer = PanelLayout.matricesPerLayer
        let all = matrices
        layers = (0..<configuration.layers).map { layer in
            LayerWeights(all[layer * perLayer..<(layer + 1) * perLayer], configuration)
        }
        output = all[configuration.layers * perLayer]
        embedding = all[all.count - 1]
        rotary =
            sibling?.rotary
            ?? RotaryTable(
                headDimension: configuration.headDimension, base: configuration.ropeTheta,
                scaling: configuration.ropeScaling)
        unrotated =
            configuration.unrotatedLayers.isEmpty
            ? nil : sibling?.unrotated ?? RotaryTable.unrotated(headDimension: configuration.headDimension)
        if knownHash != nil { widenBiases() }
    }

    /// Zeros in private memory.
    convenience init(layout: ParameterLayout, notShared reason: String? = nil) {
        let panels = PanelLayout(layout)
        self.init(
            layout: layout, panels: panels, memory: Storage(count: panels.elementCount),
            residence: .privateMemory(reason: reason))
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

    /// Takes the tensors of files, in private memory: BF16 as they are, F16 and F32 rounded; then merges an adapter into
    /// them, if there is one.
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
        try read(reader, adapter: adapter, kernels: kernels, pool: pool)
    }

    /// Rounds master weights into this object, which nobody may read meanwhile.
    ///
    /// For a trainer that makes a version per step and would otherwise allocate all weights anew.
    ///
    /// - Parameter change: changes a range of `master` just before it is rounded, while it is on its way through the
    ///   processor in any case. Called from several threads, once for each element.
    /// - Throws: `ModelError` when a weight is NaN, infinite, or rounds to infinity.
    public func update(
        from master: MasterWeights, kernels: Kernels, pool: ComputePool,
        change: (_ range: Range<Int>) -> Void = { _ in }
    ) throws {
        precondition(master.layout == layout, "master weights of another model")
        try rewrite(layout.slices, pool: pool) { slice, elements, block in
            for first in stride(from: elements.lowerBound, to: elements.upperBound, by: Self.roundedTogether) {
                let count = min(Self.roundedTogether, elements.upperBound - first)
                let place = slice.offset + first
                change(place..<place + count)
                kernels.roundToBFloat16(
                    master.values.pointer + place, into: block + (first - elements.lowerBound), count: count)
            }
        }
    }

    /// Elements that stay in the first-level cache between a change and its rounding.
    private static let roundedTogether = 2048

    /// Reads all tensors of a checkpoint, and merges an adapter into them.
    func read(_ reader: CheckpointReader, adapter: AdapterFactors?, kernels: Kernels, pool: ComputePool) throws {
        let merge = adapter.map { AdapterMerge($0, kernels: kernels, pool: pool) }
        precondition(merge?.layout.model ?? configuration == configuration, "an adapter of another model")
        try rewrite(layout.slices, pool: pool) { slice, elements, block in
            try reader.read(slice, elements, into: block, kernels)
            merge?.run(slice, elements, block)
        }
    }

    /// The configuration of the model.
    public var configuration: ModelConfiguration { layout.configuration }

    /// The rotary table of a layer.
    public func rotary(layer: Int) -> RotaryTable {
        guard let unrotated, !configuration.isRotated(layer: layer) else { return rotary }
        return unrotated
    }

    /// The elements of a norm or bias; the pointer is good while this object lives.
    ///
    /// Matrices are packed: see ``copy(_:of:into:)``.
    public subscript(vector: TensorSlice) -> UnsafePointer<BFloat16Bits> {
        guard case .vector(let offset) = panels.place(of: vector) else {
            preconditionFailure("\(vector.name) is a matrix, which has no row-major form in memory")
        }
        return UnsafePointer(memory.pointer + offset)
    }

    /// Copies elements of a tensor, row-major; of a matrix whole rows.
    public func copy(_ elements: Range<Int>, of slice: TensorSlice, into target: UnsafeMutablePointer<BFloat16Bits>) {
        precondition(elements.lowerBound >= 0 && elements.upperBound <= slice.count, "elements outside \(slice.name)")
        switch panels.place(of: slice) {
        case .vector(let offset):
            target.update(from: memory.pointer + offset + elements.lowerBound, count: elements.count)
        case .rows(let matrix, let row):
            let width = slice.shape[1]
            precondition(elements.lowerBound % width == 0 && elements.upperBound % width == 0, "parts of rows")
            matrices[matrix].unpack(
                row + elements.lowerBound / width..<row + elements.upperBound / width, into: target)
        }
    }

    /// All elements of the tensor of that name, row-major, or nil where the model has none.
    public func tensor(named name: String) -> [BFloat16Bits]? {
        layout.slice(named: name).map { slice in
            [BFloat16Bits](unsafeUninitializedCapacity: slice.count) { buffer, count in
                if let start = buffer.baseAddress { copy(0..<slice.count, of: slice, into: start) }
                count = slice.count
            }
        }
    }

    func widenBiases() {
        for (layer, slices) in zip(layers, layout.layers) { layer.widenBiases(slices) { self[$0] } }
    }
}
