import Tensors

/// The forward pass of one micro-batch on one thread: the decoder's operations, with what backward needs kept.
///
/// Every number here is canonical (docs/arithmetic.md, rule 15): the log-probability of a token is the sampler's, to the
/// bit, because each operation is the decoder's and none depends on what else is in the batch.
struct TrainingForward {
    let weights: ModelWeights
    let kernels: Kernels
    let buffers: TrainingBuffers

    private var configuration: ModelConfiguration { weights.configuration }

    /// Fills the buffers for a micro-batch, up to the last norm.
    func run(_ batch: MicroBatch, of sequences: [TrainingSequence]) {
        let hidden = configuration.hiddenSize
        for part in batch.parts {
            let tokens = sequences[part.sequence].tokens
            for (position, row) in part.rows.enumerated() {
                buffers.tokens.pointer[row] = tokens[position]
                buffers.positions.pointer[row] = Int32(position)
            }
        }
        kernels.embed(
            table: weights[weights.layout.embedding], width: hidden, tokens: buffers.tokens.pointer,
            count: batch.rowCount, into: buffers.layers[0].input.pointer)
        for layer in buffers.layers.indices {
            attention(layer, batch)
            feedForward(layer, batch.rowCount)
        }
        var target = 0
        for part in batch.parts {
            let sequence = sequences[part.sequence]
            let first = part.rows.lowerBound + sequence.firstTarget - 1
            kernels.rmsNorm(
                buffers.output.pointer + first * hidden, stride: hidden, weight: weights[weights.layout.finalNorm],
                epsilon: configuration.rmsEpsilon, rows: sequence.targetCount, width: hidden,
                into: buffers.outputNormed.pointer + target * hidden, targetStride: hidden)
            target += sequence.targetCount
        }
    }

    private func attention(_ index: Int, _ batch: MicroBatch) {
        let saved = buffers.layers[index]
        let slices = weights.layout.layers[index]
        let packed = weights.layers[index]
        let rows = batch.rowCount
        let hidden = configuration.hiddenSize
        let (queryWidth, keyValueWidth) = (configuration.queryWidth, configuration.keyValueWidth)
        let stride = queryWidth + 2 * keyValueWidth
        norm(saved.input, slices.inputNorm, rows, into: saved.normed)
        kernels.matmul(
            saved.normed.pointer, stride: hidden, rows: rows, by: packed.queryKeyValue,
            into: saved.projected.pointer, outStride: stride)
        rotate(saved.projected.pointer, slices.queryNorm, rows, heads: configuration.heads, into: saved.query)
        rotate(
            saved.projected.pointer + queryWidth, slices.keyNorm, rows, heads: configuration.keyValueHeads,
            into: saved.key)
        for row in 0..<rows {
            kernels.roundToBFloat16(
                saved.projected.pointer + row * stride + queryWidth + keyValueWidth,
                into: saved.value.pointer + row * keyValueWidth, count: keyValueWidth)
        }
        for part in batch.parts { attend(saved, part.rows) }
        saved.middle.pointer.update(from: saved.input.pointer, count: rows * hidden)
        kernels.matmul(
            saved.attended.pointer, stride: queryWidth, rows: rows, by: packed.attentionOutput,
            into: saved.middle.pointer, outStride: hidden, accumulating: true)
    }

    /// Attention of one sequence: its keys and values go to pages, as the decoder's do.
    private func attend(_ saved: TrainingBuffers.Layer, _ rows: Range<Int>) {
        let layout = buffers.pageLayout
        let width = configuration.headDimension
        let (queryWidth, keyValueWidth) = (configuration.queryWidth, configuration.keyValueWidth)
        for (position, row) in rows.enumerated() {
            let page = buffers.pages[position / KeyValuePageLayout.positions].pointer
            let slot = position % KeyValuePageLayout.positions
            for head in 0..<configuration.keyValueHeads {
                let offset = row * keyValueWidth + head * width
                layout.writeKey(saved.key.pointer + offset, page: page, layer: 0, head: head, slot: slot)
                layout.writeValue(saved.value.pointer + offset, page: page, layer: 0, head: head, slot: slot)
            }
        }
        let count = KeyValuePageLayout.pages(for: rows.count)
        withUnsafeTemporaryAllocation(of: UnsafePointer<BFloat16Bits>.self, capacity: count) { pages in
            for page in 0..<count { pages[page] = UnsafePointer(buffers.pages[page].pointer) }
            guard let start = pages.baseAddress else { return }
            kernels.attention(
                query: saved.query.pointer + rows.lowerBound * queryWidth, stride: queryWidth, rows: rows.count,
                firstPosition: 0, pages: start, layout: layout, layer: 0, shape: AttentionShape(configuration),
                into: saved.attended.pointer + rows.lowerBound * queryWidth, outStride: queryWidth,
                scratch: buffers.attentionScratch.pointer)
        }
    }

    private func feedForward(_ index: Int, _ rows: Int) {
        let saved = buffers.layers[index]
        let packed = weights.layers[index]
        let hidden = configuration.hiddenSize
        let inner = configuration.intermediateSize
        norm(saved.middle, weights.layout.layers[index].postAttentionNorm, rows, into: saved.middleNormed)
        kernels.matmul(
            saved.middleNormed.pointer, stride: hidden, rows: rows, by: packed.gateUp, into: saved.gateUp.pointer,
            outStride: 2 * inner)
        kernels.swiGLU(
            gate: saved.gateUp.pointer, up: saved.gateUp.pointer + inner, stride: 2 * inner, rows: rows, width: inner,
            into: saved.activated.pointer, targetStride: inner)
        let output = index + 1 < buffers.layers.count ? buffers.layers[index + 1].input : buffers.output
        output.pointer.update(from: saved.middle.pointer, count: rows * hidden)
        kernels.matmul(
            saved.activated.pointer, stride: inner, rows: rows, by: packed.down, into: output.pointer,
            outStride: hidden, accumulating: true)
    }

    private func norm(_ x: Storage<Float>, _ weight: TensorSlice, _ rows: Int, into out: Storage<BFloat16Bits>) {
        let hidden = configuration.hiddenSize
        kernels.rmsNorm(
            x.pointer, stride: hidden, weight: weights[weight], epsilon: configuration.rmsEpsilon, rows: rows,
            width: hidden, into: out.pointer, targetStride: hidden)
    }

    private func rotate(
        _ x: UnsafePointer<Float>, _ norm: TensorSlice?, _ rows: Int, heads: Int, into out: Storage<BFloat16Bits>
    ) {
        kernels.rope(
            x, stride: configuration.queryWidth + 2 * configuration.keyValueWidth, rows: rows, heads: heads,
            norm: norm.map { (weights[$0], configuration.rmsEpsilon) }, positions: buffers.positions.pointer,
            table: weights.rotary, into: out.pointer, targetStride: heads * configuration.headDimension)
    }
}
