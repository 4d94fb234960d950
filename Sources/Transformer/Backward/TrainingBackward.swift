import Tensors

/// The backward pass of one micro-batch on one thread, in f32 and straight through every rounding to bf16.
///
/// `y = bf16(x)` has derivative 1; matrix products use the rounded weights and inputs that the forward pass used.
struct TrainingBackward {
    let weights: ModelWeights
    let buffers: TrainingBuffers
    /// Added to; shaped as the weights.
    let gradients: MasterWeights

    private var configuration: ModelConfiguration { weights.configuration }

    /// Goes from the derivative of the residual stream's end (``TrainingBuffers/residual``) to all weights below.
    func run(_ batch: MicroBatch) {
        for layer in buffers.layers.indices.reversed() {
            feedForward(layer, batch.rowCount)
            attention(layer, batch)
        }
        let hidden = configuration.hiddenSize
        let table = gradients.values.pointer + weights.layout.embedding.offset
        for row in 0..<batch.rowCount {
            TrainingKernels.add(
                table + Int(buffers.tokens.pointer[row]) * hidden, buffers.residual.pointer + row * hidden,
                count: hidden)
        }
    }

    private func feedForward(_ index: Int, _ rows: Int) {
        let saved = buffers.layers[index]
        let slices = weights.layout.layers[index]
        let inner = configuration.intermediateSize
        let residual = buffers.residual.pointer
        linear(
            [slices.down], output: residual, input: saved.activated, width: inner, rows: rows,
            into: buffers.wider.pointer)
        for row in 0..<rows {
            let gate = saved.gateUp.pointer + row * 2 * inner
            let slope = buffers.wide.pointer + row * 2 * inner
            TrainingKernels.swiGLUBackward(
                gate: gate, up: gate + inner, outputGradient: buffers.wider.pointer + row * inner,
                gateGradient: slope, upGradient: slope + inner, count: inner)
        }
        linear(
            [slices.gate, slices.up], output: buffers.wide.pointer, input: saved.middleNormed,
            width: configuration.hiddenSize, rows: rows, into: buffers.narrow.pointer)
        norm(slices.postAttentionNorm, input: saved.middle.pointer, rows: rows)
    }

    private func attention(_ index: Int, _ batch: MicroBatch) {
        let saved = buffers.layers[index]
        let slices = weights.layout.layers[index]
        let (queryWidth, keyValueWidth) = (configuration.queryWidth, configuration.keyValueWidth)
        let stride = queryWidth + 2 * keyValueWidth
        linear(
            [slices.output], output: buffers.residual.pointer, input: saved.attended, width: queryWidth,
            rows: batch.rowCount, into: buffers.wider.pointer)
        let attention = AttentionBackward(
            shape: AttentionShape(configuration), scratch: buffers.attentionGradientScratch)
        for part in batch.parts {
            let first = part.rows.lowerBound
            attention.run(
                query: saved.query.pointer + first * queryWidth, key: saved.key.pointer + first * keyValueWidth,
                value: saved.value.pointer + first * keyValueWidth,
                outputGradient: buffers.wider.pointer + first * queryWidth,
                gradient: buffers.wide.pointer + first * stride, stride: stride, length: part.rows.count)
        }
        rotation(saved.projected, slices, rows: batch.rowCount)
        linear(
            [slices.query, slices.key, slices.value], output: buffers.wide.pointer, input: saved.normed,
            width: configuration.hiddenSize, rows: batch.rowCount, into: buffers.narrow.pointer)
        norm(slices.inputNorm, input: saved.input.pointer, rows: batch.rowCount)
    }

    /// Backward of rotation and q/k norms, in place over the q and k columns of the wide scratch.
    private func rotation(_ projected: Storage<Float>, _ slices: LayerSlices, rows: Int) {
        let width = configuration.headDimension
        let (queryWidth, keyValueWidth) = (configuration.queryWidth, configuration.keyValueWidth)
        let stride = queryWidth + 2 * keyValueWidth
        let rotary = weights.rotary.rows(for: buffers.longest)
        for (column, heads, slice) in [
            (0, configuration.heads, slices.queryNorm), (queryWidth, configuration.keyValueHeads, slices.keyNorm),
        ] {
            if let slice { widen(slice) }
            for row in 0..<rows {
                let gradient = buffers.wide.pointer + row * stride + column
                let angle = Int(buffers.positions.pointer[row]) * (width / 2)
                TrainingKernels.rotaryBackward(
                    gradient, cosines: rotary.cosines + angle, sines: rotary.sines + angle, heads: heads, width: width)
                guard let slice else { continue }
                TrainingKernels.rmsNormBackward(
                    input: projected.pointer + row * stride + column, weight: buffers.normWeight.pointer,
                    epsilon: configuration.rmsEpsilon, outputGradient: gradient, inputGradient: gradient,
                    weightGradient: gradients.values.pointer + slice.offset, rows: heads, width: width,
                    accumulate: false)
            }
        }
    }

    /// Backward of a norm on the residual stream: adds to the stream's derivative.
    private func norm(_ slice: TensorSlice, input: UnsafePointer<Float>, rows: Int) {
        widen(slice)
        TrainingKernels.rmsNormBackward(
            input: input, weight: buffers.normWeight.pointer, epsilon: configuration.rmsEpsilon,
            outputGradient: buffers.narrow.pointer, inputGradient: buffers.residual.pointer,
            weightGradient: gradients.values.pointer + slice.offset, rows: rows, width: configuration.hiddenSize,
            accumulate: true)
    }

    private func widen(_ slice: TensorSlice) {
        TrainingKernels.widen(weights[slice], buffers.normWeight.pointer, count: slice.count)
    }

    /// Backward of matrices that share an input; `output` holds their derivatives side by side.
    ///
    /// - Parameters:
    ///   - width: the input's width.
    ///   - inputGradient: overwritten [rows, width].
    private func linear(
        _ slices: [TensorSlice], output: UnsafePointer<Float>, input: Storage<BFloat16Bits>, width: Int, rows: Int,
        into inputGradient: UnsafeMutablePointer<Float>
    ) {
        let stride = slices.reduce(0) { $0 + $1.shape[0] }
        TrainingKernels.widen(input.pointer, buffers.inputs.pointer, count: rows * width)
        var column = 0
        for run in Self.adjoining(slices) {
            let features = run.count / width
            TrainingKernels.widen(
                weights.values.pointer + run.lowerBound, buffers.weights.pointer, count: run.count)
            Blas.multiply(
                rows: rows, columns: width, inner: features, left: output + column, leftStride: stride,
                right: buffers.weights.pointer, rightStride: width, result: inputGradient, resultStride: width,
                keep: column == 0 ? 0 : 1)
            Blas.multiply(
                rows: features, columns: width, inner: rows, left: output + column, leftStride: stride, .transposed,
                right: buffers.inputs.pointer, rightStride: width, result: gradients.values.pointer + run.lowerBound,
                resultStride: width, keep: 1)
            column += features
        }
    }

    /// Joins slices that touch in the flat allocation, so that q, k and v are one product where no padding parts them.
    private static func adjoining(_ slices: [TensorSlice]) -> [Range<Int>] {
        slices.reduce(into: []) { runs, slice in
            if let last = runs.last, last.upperBound == slice.offset {
                runs[runs.count - 1] = last.lowerBound..<slice.range.upperBound
            } else {
                runs.append(slice.range)
            }
        }
    }
}
