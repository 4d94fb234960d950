import CKernels

@testable import Tensors

/// A matrix product with all its inputs.
struct MatmulProblem {
    let rows: Int
    let weights: PackedMatrix
    let x: [BFloat16Bits]
    let bias: [Float]?
    let start: [Float]
    let accumulating: Bool

    init(rows: Int, k: Int, n: Int, kind: Inputs.Kind, extras: Bool, seed: UInt64) {
        var inputs = Inputs(seed: seed)
        self.rows = rows
        x = inputs.bfloats(rows * k, kind)
        weights = PackedMatrix(inputs.bfloats(n * k, kind), rows: n, columns: k)
        bias = extras ? inputs.floats(n, kind) : nil
        start = inputs.floats(rows * n, kind)
        accumulating = extras
    }

    /// The product computed by `kernels`, rows cut into pieces of `step`.
    func solve(_ kernels: Kernels, step: Int = .max, fetching: FetchedBlocks? = nil) -> [Float] {
        var out = start
        var row = 0
        while row < rows {
            let count = min(step, rows - row)
            out.withUnsafeMutableBufferPointer { out in
                x.withUnsafeBufferPointer { x in
                    guard let target = out.baseAddress, let source = x.baseAddress else { return }
                    kernels.matmul(
                        source + row * weights.columns, stride: weights.columns, rows: count, by: weights,
                        into: target + row * weights.rows, outStride: weights.rows, bias: bias,
                        accumulating: accumulating, fetching: fetching)
                }
            }
            row += count
        }
        return out
    }

    /// The product computed on a pool.
    func solve(_ kernels: Kernels, pool: ComputePool) -> [Float] {
        var out = start
        kernels.matmul(
            x, stride: weights.columns, rows: rows, by: weights, into: &out, outStride: weights.rows, bias: bias,
            accumulating: accumulating, pool: pool)
        return out
    }
}

/// Attention over a sequence whose keys, values and queries are given for every position.
struct AttentionProblem {
    let shape: AttentionShape
    let layout: KeyValuePageLayout
    let positions: Int
    let query: [BFloat16Bits]
    let pages: [Storage<BFloat16Bits>]
    let layer = 1

    /// - Parameter garbage: What the slots that no position has written hold.
    init(
        heads: Int, keyValueHeads: Int, dimension: Int, window: Int = 0, positions: Int, kind: Inputs.Kind,
        seed: UInt64, garbage: BFloat16Bits = 0
    ) {
        var inputs = Inputs(seed: seed)
        shape = AttentionShape(
            heads: heads, keyValueHeads: keyValueHeads, headDimension: dimension, window: window)
        layout = KeyValuePageLayout(layers: 2, keyValueHeads: keyValueHeads, headDimension: dimension)
        self.positions = positions
        query = inputs.bfloats(positions * heads * dimension, kind)
        let layout = layout
        pages = (0..<KeyValuePageLayout.pages(for: positions)).map { _ in
            let page = Storage<BFloat16Bits>(count: layout.elementCount)
            page.buffer.update(repeating: garbage)
            return page
        }
        for position in 0..<positions {
            for head in 0..<keyValueHeads {
                let key = inputs.bfloats(dimension, kind)
                let value = inputs.bfloats(dimension, kind)
                let page = pages[position / 16].pointer
                layout.writeKey(key, page: page, layer: layer, head: head, slot: position % 16)
                layout.writeValue(value, page: page, layer: layer, head: head, slot: position % 16)
            }
        }
    }

    /// The output rows, computed in chunks of `chunk` positions.
    func solve(
        _ kernels: Kernels, chunk: Int = .max, from start: Int = 0, queries: [BFloat16Bits]? = nil
    ) -> [BFloat16Bits] {
        let query = queries ?? query
        let width = shape.heads * shape.headDimension
        var out = [BFloat16Bits](repeating: 0, count: positions * width)
        let table = pages.map { UnsafePointer($0.pointer) }
        let scratch = Storage<Float>(count: shape.scratchCount(positions: positions))
        var first = start
        while first < positions {
            let rows = min(chunk, positions - first)
            query.withUnsafeBufferPointer { query in
                out.withUnsafeMutableBufferPointer { out in
                    guard let source = query.baseAddress, let target = out.baseAddress else { return }
                    kernels.attention(
                        query: source + first * width, stride: width, rows: rows, firstPosition: first, pages: table,
                        layout: layout, layer: layer, shape: shape, into: target + first * width, outStride: width,
                        scratch: scratch.pointer)
                }
            }
            first += rows
        }
        return out
    }
}
