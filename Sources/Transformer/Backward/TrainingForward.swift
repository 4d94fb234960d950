import Tensors

/// The forward pass of one micro-batch: the decoder's operations, with what backward needs kept.
///
/// Every number here is canonical (docs/arithmetic.md, rule 15): the log-probability of a token is the sampler's, to the
/// bit, because each operation is the decoder's and none depends on what else is in the batch. For the same reason a layer
/// that is computed again from its input has the same bits.
struct TrainingForward {
    let crew: TrainingCrew
    let weights: ModelWeights
    let kernels: Kernels
    let buffers: TrainingBuffers

    private var configuration: ModelConfiguration { weights.configuration }

    /// Rows that a thread takes at a time.
    private static let rowBlock = 32

    /// Fills the buffers for a micro-batch, up to the last norm.
    func run(_ batch: MicroBatch, of sequences: [TrainingSequence]) {
        for part in batch.parts {
            let tokens = sequences[part.sequence].tokens
            for (row, position) in zip(part.rows, part.firstPosition...) {
                buffers.tokens.pointer[row] = tokens[position]
                buffers.positions.pointer[row] = Int32(position)
            }
        }
        kernels.embed(
            table: weights.embedding, tokens: buffers.tokens.pointer, count: batch.rowCount,
            into: buffers.residuals[0].pointer)
        for layer in buffers.layers.indices {
            fill(layer, batch)
            finish(layer, batch.rowCount)
        }
        lastNorm(batch, of: sequences)
    }

    /// Computes a layer's activations from its input.
    func fill(_ index: Int, _ batch: MicroBatch) {
        attention(index, batch)
        feedForward(index, batch.rowCount)
    }

    private func attention(_ index: Int, _ batch: MicroBatch) {
        let saved = buffers.layers[index]
        let packed = weights.layers[index]
        let hidden = configuration.hiddenSize
        let stride = configuration.queryWidth + 2 * configuration.keyValueWidth
        norm(
            buffers.residuals[index], weights.layout.layers[index].inputNorm, batch.rowCount, into: saved.normed,
            copy: saved.middle)
        crew.multiply(
            kernels, saved.normed.pointer, stride: hidden, rows: batch.rowCount, by: packed.queryKeyValue,
            bias: packed.queryKeyValueBias, into: saved.projected.pointer, outStride: stride)
        crew.run(over: batch.rowCount, by: Self.rowBlock) { rows, _ in rotate(index, rows) }
        attend(index, batch)
        crew.multiply(
            kernels, saved.attended.pointer, stride: configuration.queryWidth, rows: batch.rowCount,
            by: packed.attentionOutput, bias: packed.attentionOutputBias, into: saved.middle.pointer,
            outStride: hidden, accumulating: true)
    }

    /// Normalises and rotates queries and keys, and rounds values.
    private func rotate(_ index: Int, _ rows: Range<Int>) {
        let saved = buffers.layers[index]
        let slices = weights.layout.layers[index]
        let (queryWidth, keyValueWidth) = (configuration.queryWidth, configuration.keyValueWidth)
        let stride = queryWidth + 2 * keyValueWidth
        let projected = saved.projected.pointer + rows.lowerBound * stride
        let parts: [(Int, Int, TensorSlice?, Storage<BFloat16Bits>)] = [
            (0, configuration.heads, slices.queryNorm, saved.query),
            (queryWidth, configuration.keyValueHeads, slices.keyNorm, saved.key),
        ]
        for (column, heads, norm, target) in parts {
            let width = heads * configuration.headDimension
            kernels.rope(
                projected + column, stride: stride, rows: rows.count, heads: heads,
                norm: norm.map { (weights[$0], configuration.rmsEpsilon) },
                positions: buffers.positions.pointer + rows.lowerBound, table: weights.rotary(layer: index),
                into: target.pointer + rows.lowerBound * width, targetStride: width)
        }
        for row in rows {
            kernels.roundToBFloat16(
                saved.projected.pointer + row * stride + queryWidth + keyValueWidth,
                into: saved.value.pointer + row * keyValueWidth, count: keyValueWidth)
        }
    }

    /// Attention of every sequence: keys and values go to pages, as the decoder's do.
    private func attend(_ index: Int, _ batch: MicroBatch) {
        let heads = configuration.keyValueHeads
        crew.run(batch.parts.count * heads) { task, _ in
            store(index, batch.parts[task / heads], head: task % heads)
        }
        let blocks = AttentionBlock.cut(batch, crew: crew)
        crew.run(blocks.count * heads) { task, thread in
            attend(index, blocks[task / heads], head: task % heads, scratch: buffers.attention.floats[thread])
        }
    }

    private func store(_ index: Int, _ part: MicroBatch.Part, head: Int) {
        let saved = buffers.layers[index]
        let layout = buffers.pageLayout
        let (width, keyValueWidth) = (configuration.headDimension, configuration.keyValueWidth)
        if part.length % KeyValuePageLayout.positions != 0 {
            // What lies behind the end is multiplied by zero, and what an earlier batch left there may be infinite.
            let last = page(part.page(part.length / KeyValuePageLayout.positions))
            let (start, end) = (layout.keyOffset(layer: 0, head: head), layout.keyOffset(layer: 0, head: head + 1))
            (last + start).update(repeating: 0, count: end - start)
        }
        // The prompt's last page is shared only where it is whole.
        for position in part.sharedPages * KeyValuePageLayout.positions..<part.length {
            let page = page(part.page(position / KeyValuePageLayout.positions))
            let slot = position % KeyValuePageLayout.positions
            let offset = part.row(of: position) * keyValueWidth + head * width
            layout.writeKey(saved.key.pointer + offset, page: page, layer: 0, head: head, slot: slot)
            layout.writeValue(saved.value.pointer + offset, page: page, layer: 0, head: head, slot: slot)
        }
    }

    private func page(_ index: Int) -> UnsafeMutablePointer<BFloat16Bits> {
        buffers.pages.pointer + index * buffers.pageLayout.elementCount
    }

    private func attend(_ index: Int, _ block: AttentionBlock, head: Int, scratch: Storage<Float>) {
        let saved = buffers.layers[index]
        let width = configuration.queryWidth
        let positions = block.firstPosition + block.rows.count
        let count = KeyValuePageLayout.pages(for: positions)
        withUnsafeTemporaryAllocation(of: UnsafePointer<BFloat16Bits>.self, capacity: count) { pages in
            for number in 0..<count { pages[number] = UnsafePointer(page(block.part.page(number))) }
            guard let start = pages.baseAddress else { return }
            kernels.attention(
                query: saved.query.pointer + block.rows.lowerBound * width, stride: width, rows: block.rows.count,
                firstPosition: block.firstPosition, pages: start, layout: buffers.pageLayout, layer: 0,
                shape: AttentionShape(configuration, layer: index), keyValueHeads: head..<head + 1,
                into: saved.attended.pointer + block.rows.lowerBound * width, outStride: width,
                scratch: scratch.pointer)
        }
    }

    private func feedForward(_ index: Int, _ rows: Int) {
        let saved = buffers.layers[index]
        let packed = weights.layers[index]
        let hidden = configuration.hiddenSize
        let inner = configuration.intermediateSize
        norm(saved.middle, weights.layout.layers[index].postAttentionNorm, rows, into: saved.middleNormed)
        crew.multiply(
            kernels, saved.middleNormed.pointer, stride: hidden, rows: rows, by: packed.gateUp,
            bias: packed.gateUpBias, into: saved.gateUp.pointer, outStride: 2 * inner)
        crew.run(over: rows, by: Self.rowBlock) { block, _ in
            let gate = saved.gateUp.pointer + block.lowerBound * 2 * inner
            kernels.swiGLU(
                gate: gate, up: gate + inner, stride: 2 * inner, rows: block.count, width: inner,
                into: saved.activated.pointer + block.lowerBound * inner, targetStride: inner)
        }
    }

    /// The layer's output, which backward never needs again.
    private func finish(_ index: Int, _ rows: Int) {
        let saved = buffers.layers[index]
        let hidden = configuration.hiddenSize
        let output = buffers.residuals[index + 1].pointer
        crew.run(over: rows * hidden, by: 1 << 16) { block, _ in
            (output + block.lowerBound).update(from: saved.middle.pointer + block.lowerBound, count: block.count)
        }
        let packed = weights.layers[index]
        crew.multiply(
            kernels, saved.activated.pointer, stride: configuration.intermediateSize, rows: rows, by: packed.down,
            bias: packed.downBias, into: output, outStride: hidden, accumulating: true)
    }

    /// Normalises rows of the residual stream, and copies them where the next addition goes.
    private func norm(
        _ x: Storage<Float>, _ weight: TensorSlice, _ rows: Int, into out: Storage<BFloat16Bits>,
        copy: Storage<Float>? = nil
    ) {
        let hidden = configuration.hiddenSize
        crew.run(over: rows, by: Self.rowBlock) { block, _ in
            let first = block.lowerBound * hidden
            kernels.rmsNorm(
                x.pointer + first, stride: hidden, weight: weights[weight], epsilon: configuration.rmsEpsilon,
                rows: block.count, width: hidden, into: out.pointer + first, targetStride: hidden)
            if let copy { (copy.pointer + first).update(from: x.pointer + first, count: block.count * hidden) }
        }
    }

    /// The last norm, of the rows that predict a target only.
    private func lastNorm(_ batch: MicroBatch, of sequences: [TrainingSequence]) {
        let hidden = configuration.hiddenSize
        let stream = buffers.residuals[configuration.layers].pointer
        var target = 0
        for part in batch.parts {
            for rows in part.predictingRows(sequences[part.sequence]) {
                kernels.rmsNorm(
                    stream + rows.lowerBound * hidden, stride: hidden, weight: weights[weights.layout.finalNorm],
                    epsilon: configuration.rmsEpsilon, rows: rows.count, width: hidden,
                    into: buffers.outputNormed.pointer + target * hidden, targetStride: hidden)
                target += rows.count
            }
        }
    }
}

/// Queries of one sequence whose attention is one task.
private struct AttentionBlock {
    let rows: Range<Int>
    /// The position of the first query.
    let firstPosition: Int
    /// The rows that they are part of, which know their pages.
    let part: MicroBatch.Part

    private static let queries = 64

    static func cut(_ batch: MicroBatch, crew: TrainingCrew) -> [AttentionBlock] {
        batch.parts.flatMap { part in
            let size = crew.isShared ? queries : part.rows.count
            return stride(from: 0, to: part.rows.count, by: max(1, size)).map { first in
                let start = part.rows.lowerBound + first
                return AttentionBlock(
                    rows: start..<min(start + size, part.rows.upperBound),
                    firstPosition: part.firstPosition + first, part: part)
            }
        }
    }
}
