import Tensors

/// Merges an adapter into base weights by rule 16 of docs/arithmetic.md: the same bits everywhere.
///
/// Worker, verifier and trainer compute with merged weights, so an adapter costs nothing when tokens are sampled, and a
/// version's weights hash is over merged tensors like any other's.
struct AdapterMerge {
    private let adapter: AdapterFactors
    private let kernels: Kernels
    /// Every A transposed and packed, so that B·A is a product of rule 3 with A's columns as outputs; by the place of the
    /// matrix that it changes.
    private let downs: [Int: PackedMatrix]

    var layout: AdapterLayout { adapter.layout }

    init(_ adapter: AdapterFactors, kernels: Kernels, pool: ComputePool) {
        self.adapter = adapter
        self.kernels = kernels
        let rank = adapter.configuration.rank
        let pairs = adapter.layout.pairs
        let packed = pairs.map { PackedMatrix(rows: $0.weight.shape[1], columns: rank) }
        pool.run(packed.count) { index, _ in
            let inputs = pairs[index].weight.shape[1]
            let transposed = Storage<BFloat16Bits>(count: inputs * rank, zeroed: false)
            let source = adapter[pairs[index].down]
            for row in 0..<rank {
                for column in 0..<inputs { transposed.pointer[column * rank + row] = source[row * inputs + column] }
            }
            withExtendedLifetime(transposed) { packed[index].pack(transposed.pointer, rows: inputs, at: 0) }
        }
        downs = Dictionary(uniqueKeysWithValues: zip(pairs, packed).map { ($0.weight.offset, $1) })
    }

    /// Merges into whole rows of a matrix of the base model, where it is adapted.
    ///
    /// - Parameter block: these elements, row-major; overwritten.
    func run(_ slice: TensorSlice, _ elements: Range<Int>, _ block: UnsafeMutablePointer<BFloat16Bits>) {
        guard let down = downs[slice.offset], let pair = adapter.layout.pair(for: slice) else { return }
        let rank = adapter.configuration.rank
        let row = elements.lowerBound / slice.shape[1]
        let scratch = Storage<Float>(count: elements.count, zeroed: false)
        withExtendedLifetime(scratch) {
            kernels.merge(
                base: block, up: adapter[pair.up] + row * rank, down: down, scale: adapter.configuration.scale,
                rows: elements.count / slice.shape[1], into: block, scratch: scratch.pointer)
        }
    }
}

extension ModelWeights {
    /// Merges an adapter into base weights, over the adapted matrices of this object, which nobody may read meanwhile.
    ///
    /// Everything else must be the base's already: for a trainer that makes a version per step. The memory must be private.
    ///
    /// - Throws: `ModelError` when a merged weight is not finite.
    public func merge(_ adapter: AdapterFactors, into base: AdapterBase, kernels: Kernels, pool: ComputePool) throws {
        precondition(
            adapter.layout == base.layout && adapter.layout.model == configuration, "an adapter of another model")
        guard case .privateMemory = residence else { preconditionFailure("shared weights cannot be written") }
        let merge = AdapterMerge(adapter, kernels: kernels, pool: pool)
        try rewrite(adapter.layout.pairs.map(\.weight), pool: pool) { slice, elements, block in
            base.copy(elements, of: slice, into: block)
            merge.run(slice, elements, block)
        }
    }
}
