import Tensors

/// Merges an adapter into base weights by rule 16 of docs/arithmetic.md: the same bits everywhere.
///
/// Worker, verifier and trainer compute with merged weights, so an adapter costs nothing when tokens are sampled, and a
/// version's weights hash is over merged tensors like any other's.
struct AdapterMerge {
    let adapter: AdapterFactors
    let kernels: Kernels
    let pool: ComputePool

    /// Rows of a matrix that one task merges.
    private static let rowBlock = 64

    /// Overwrites the adapted matrices of `target`.
    ///
    /// - Parameters:
    ///   - base: the base model's allocation from element `first` on; may be part of `target`.
    ///   - target: the first element of a whole allocation.
    func run(
        base: UnsafePointer<BFloat16Bits>, from first: Int, into target: UnsafeMutablePointer<BFloat16Bits>
    ) {
        let scale = adapter.configuration.scale
        let rank = adapter.configuration.rank
        let packed = packedDowns()
        let tasks = adapter.layout.pairs.enumerated().flatMap { index, pair in
            stride(from: 0, to: pair.weight.shape[0], by: Self.rowBlock).map { (pair: index, row: $0) }
        }
        let widest = adapter.layout.pairs.reduce(0) { max($0, $1.weight.shape[1]) }
        let scratch = (0..<pool.threads).map { _ in Storage<Float>(count: Self.rowBlock * widest, zeroed: false) }
        pool.run(tasks.count) { task, thread in
            let (index, row) = tasks[task]
            let pair = adapter.layout.pairs[index]
            let place = pair.weight.offset + row * pair.weight.shape[1]
            kernels.merge(
                base: base + (place - first), up: adapter[pair.up] + row * rank, down: packed[index], scale: scale,
                rows: min(Self.rowBlock, pair.weight.shape[0] - row), into: target + place,
                scratch: scratch[thread].pointer)
        }
    }

    /// Every A transposed and packed, so that B·A is a product of rule 3 with A's columns as outputs.
    private func packedDowns() -> [PackedMatrix] {
        let rank = adapter.configuration.rank
        let packed = adapter.layout.pairs.map { PackedMatrix(rows: $0.weight.shape[1], columns: rank) }
        pool.run(packed.count) { index, _ in
            let slice = adapter.layout.pairs[index].down
            let inputs = slice.shape[1]
            let transposed = Storage<BFloat16Bits>(count: slice.count, zeroed: false)
            let source = adapter[slice]
            for row in 0..<rank {
                for column in 0..<inputs { transposed.pointer[column * rank + row] = source[row * inputs + column] }
            }
            packed[index].pack(transposed.pointer, rows: inputs, at: 0)
        }
        return packed
    }
}

extension ModelWeights {
    /// Merges an adapter into base weights, over the adapted matrices of this object, which nobody may read meanwhile.
    ///
    /// Everything else must be the base's already: for a trainer that makes a version per step.
    ///
    /// - Throws: `ModelError` when a merged weight is not finite.
    public func merge(_ adapter: AdapterFactors, into base: AdapterBase, kernels: Kernels, pool: ComputePool) throws {
        precondition(adapter.layout.model == configuration && base.layout == layout, "an adapter of another model")
        try rewrite(adapter.layout.pairs.map(\.weight), kernels: kernels, pool: pool) { target in
            AdapterMerge(adapter: adapter, kernels: kernels, pool: pool)
                .run(base: base.values.pointer, from: base.range.lowerBound, into: target)
        }
    }
}
