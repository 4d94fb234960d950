import Tensors

/// Attention's backward pass in bf16, on the forward pass's kernels: blocks of queries against blocks of keys.
///
/// Probabilities and the derivatives of scores are rounded where they enter products, as every other derivative is.
extension AttentionBackward {
    /// Queries, and keys, that a product sums over at once: whole panels and whole blocks of rounding.
    static let block = 2 * PackedMatrix.panelWidth

    /// The factors of one head at a time, for one thread.
    struct Operands {
        /// Keys and values as rows of packed matrices, to multiply queries and derivatives of outputs.
        fileprivate let keys: Storage<BFloat16Bits>
        fileprivate let values: Storage<BFloat16Bits>
        /// Blocks of keys, to be summed over.
        fileprivate let keyBlocks: Storage<BFloat16Bits>
        /// A block of queries and of their outputs' derivatives, to be summed over.
        fileprivate let queries: Storage<BFloat16Bits>
        fileprivate let outputs: Storage<BFloat16Bits>
        /// Probabilities and the derivatives of scores of a block of queries: as they are, rounded, and transposed.
        fileprivate let plain: Storage<Float>
        fileprivate let rounded: Storage<BFloat16Bits>
        fileprivate let transposed: Storage<BFloat16Bits>

        init(longest: Int, width: Int, from memory: inout TrainingMemory) {
            // A block more, because a prompt and what follows it begin a block each.
            let blocks = (longest + block - 1) / block + 1
            let perBlock = PackedMatrix.elementCount(rows: width, columns: block)
            keys = memory.take(PackedMatrix.elementCount(rows: blocks * block, columns: width))
            values = memory.take(PackedMatrix.elementCount(rows: blocks * block, columns: width))
            keyBlocks = memory.take(blocks * perBlock)
            queries = memory.take(perBlock)
            outputs = memory.take(perBlock)
            plain = memory.take(2 * block * blocks * block)
            rounded = memory.take(2 * block * blocks * block)
            transposed = memory.take(2 * block * blocks * block)
        }

        /// Probabilities, or derivatives of scores, of a block of queries that sees that many keys.
        fileprivate func half(_ index: Int, seen: Int) -> RoundedDerivative {
            let half = index * rounded.count / 2
            return RoundedDerivative(
                rows: rounded.pointer + half, rowStride: seen, columns: transposed.pointer + half,
                columnStride: block)
        }
    }

    /// The keys of one head that lie in adjoining rows: all of a sequence's, or those of a prompt or of what follows it.
    private struct Keys {
        /// The position of the first.
        let first: Int
        let count: Int
        let keys: PackedMatrix
        let values: PackedMatrix
        let blocks: [PackedMatrix]
        /// The first key's derivative; the value's lies behind it.
        let gradient: UnsafeMutablePointer<Float>
    }

    /// A block of queries of one head.
    private struct Queries {
        let positions: Range<Int>
        let rows: UnsafePointer<BFloat16Bits>
        let outputGradient: UnsafePointer<BFloat16Bits>
        let gradient: UnsafeMutablePointer<Float>
    }

    /// One key and value head with its queries: of a sequence, or of a prompt and then of all that begin with it, whose
    /// derivatives of the prompt's keys and values add up.
    func rounded(
        _ head: Int, _ part: MicroBatch.Part, _ followers: [MicroBatch.Part], _ rows: Rows, _ operands: Operands
    ) {
        let keys = keys(head, of: part, rows, operands)
        run(head, part, rows, against: [keys], operands)
        for follower in followers where !follower.rows.isEmpty {
            let own = self.keys(head, of: follower, rows, operands)
            run(head, follower, rows, against: [keys, own], operands)
        }
    }

    /// Packs the keys and values of a part, and clears their derivatives.
    private func keys(_ head: Int, of part: MicroBatch.Part, _ rows: Rows, _ operands: Operands) -> Keys {
        let (width, count) = (shape.headDimension, part.rows.count)
        let offset = part.rows.lowerBound * keyValueWidth + head * width
        // Behind those of the prompt, if there is one.
        let before = (part.firstPosition + Self.block - 1) / Self.block
        let size = PackedMatrix.elementCount(rows: Self.block, columns: width)
        func matrix(_ storage: Storage<BFloat16Bits>, _ source: UnsafePointer<BFloat16Bits>) -> PackedMatrix {
            let matrix = PackedMatrix(rows: count, columns: width, over: storage.from(before * size))
            matrix.pack(source + offset, stride: keyValueWidth)
            return matrix
        }
        let perBlock = PackedMatrix.elementCount(rows: width, columns: Self.block)
        let blocks = stride(from: 0, to: count, by: Self.block).map { first in
            let block = PackedMatrix(
                rows: width, columns: min(Self.block, count - first),
                over: operands.keyBlocks.from((before + first / Self.block) * perBlock))
            block.packTransposed(
                rows.key + offset + first * keyValueWidth, stride: keyValueWidth, pairs: 0..<block.pairCount)
            return block
        }
        let gradient = rows.gradient + part.rows.lowerBound * rows.stride + queryWidth + head * width
        for row in 0..<count {
            (gradient + row * rows.stride).update(repeating: 0, count: width)
            (gradient + keyValueWidth + row * rows.stride).update(repeating: 0, count: width)
        }
        return Keys(
            first: part.firstPosition, count: count, keys: matrix(operands.keys, rows.key),
            values: matrix(operands.values, rows.value), blocks: blocks, gradient: gradient)
    }

    /// All queries of a part that read one key and value head.
    private func run(
        _ head: Int, _ part: MicroBatch.Part, _ rows: Rows, against keys: [Keys], _ operands: Operands
    ) {
        for queryHead in head * shape.group..<(head + 1) * shape.group {
            for first in stride(from: 0, to: part.rows.count, by: Self.block) {
                let row = part.rows.lowerBound + first
                let column = row * queryWidth + queryHead * shape.headDimension
                let start = part.firstPosition + first
                run(
                    Queries(
                        positions: start..<min(start + Self.block, part.length), rows: rows.query + column,
                        outputGradient: rows.roundedGradient + column,
                        gradient: rows.gradient + row * rows.stride + queryHead * shape.headDimension),
                    against: keys, stride: rows.stride, operands)
            }
        }
    }

    /// A block of queries against everything that any of them sees, from the beginning of a block of keys.
    private func run(_ queries: Queries, against keys: [Keys], stride gradientStride: Int, _ operands: Operands) {
        let (positions, count) = (queries.positions, queries.positions.count)
        let firstSeen = shape.window == 0 ? 0 : max(0, positions.lowerBound + 1 - shape.window)
        let seenKeys: [(keys: Keys, range: Range<Int>)] = keys.compactMap { keys in
            let lower = max(0, firstSeen - keys.first) / Self.block * Self.block
            let upper = min(keys.count, positions.upperBound - keys.first)
            return lower < upper ? (keys, lower..<upper) : nil
        }
        guard let nearest = seenKeys.first else { return }
        let start = nearest.keys.first + nearest.range.lowerBound
        let seen = positions.upperBound - start
        let (scores, slopes) = (operands.plain.pointer, operands.plain.pointer + Self.block * seen)
        for (keys, range) in seenKeys {
            let panels =
                range.lowerBound / PackedMatrix.panelWidth..<(range.upperBound + PackedMatrix.panelWidth - 1)
                / PackedMatrix.panelWidth
            for (left, right, result) in [
                (queries.rows, keys.keys, scores), (queries.outputGradient, keys.values, slopes),
            ] {
                kernels.matmul(
                    left, stride: queryWidth, rows: count, by: right, panels: panels, into: result + keys.first - start,
                    outStride: seen)
            }
        }
        TrainingKernels.attentionRows(
            scores: scores, slopes: slopes, rows: count, first: positions.lowerBound - start, keys: seen,
            stride: seen, window: shape.window, scale: shape.scale)
        let (probability, slope) = (operands.half(0, seen: seen), operands.half(1, seen: seen))
        for (source, target) in [(scores, probability), (slopes, slope)] {
            TrainingKernels.round(source, stride: seen, rows: 0..<count, outputs: seen, into: target)
        }

        let query = PackedMatrix(rows: shape.headDimension, columns: count, over: operands.queries)
        let output = PackedMatrix(rows: shape.headDimension, columns: count, over: operands.outputs)
        query.packTransposed(queries.rows, stride: queryWidth, pairs: 0..<query.pairCount)
        output.packTransposed(queries.outputGradient, stride: queryWidth, pairs: 0..<output.pairCount)
        for (keys, range) in seenKeys {
            let first = keys.first + range.lowerBound - start
            for (factor, matrix, column) in [(probability, output, keyValueWidth), (slope, query, 0)] {
                kernels.matmul(
                    factor.columns + first * factor.columnStride, stride: factor.columnStride, rows: range.count,
                    by: matrix, into: keys.gradient + range.lowerBound * gradientStride + column,
                    outStride: gradientStride, accumulating: true)
            }
            for block in range.lowerBound / Self.block..<(range.upperBound + Self.block - 1) / Self.block {
                let place = keys.first + block * Self.block - start
                kernels.matmul(
                    slope.rows + place, stride: seen, rows: count, by: keys.blocks[block], into: queries.gradient,
                    outStride: gradientStride, accumulating: place > 0)
            }
        }
    }
}

extension Storage {
    /// The elements from `offset` on; the whole block stays alive.
    fileprivate func from(_ offset: Int) -> Storage<Element> {
        Storage(pointer + offset, count: count - offset, owner: self)
    }
}
