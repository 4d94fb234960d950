import Tensors

/// The backward pass of one micro-batch, straight through every rounding to bf16.
///
/// `y = bf16(x)` has derivative 1; matrix products use the rounded weights and inputs that the forward pass used.
struct TrainingBackward {
    let forward: TrainingForward
    let linear: LinearBackward

    private var crew: TrainingCrew { forward.crew }
    private var weights: ModelWeights { forward.weights }
    private var buffers: TrainingBuffers { forward.buffers }
    private var target: GradientTarget { linear.target }
    private var configuration: ModelConfiguration { weights.configuration }

    init(forward: TrainingForward, target: GradientTarget) {
        self.forward = forward
        linear = LinearBackward(
            crew: forward.crew, kernels: forward.kernels, factors: forward.buffers.factors, target: target)
    }

    /// Goes from the derivative of the residual stream's end (``TrainingBuffers/residual``) to all weights below.
    func run(_ batch: MicroBatch) {
        for layer in buffers.layers.indices.reversed() {
            if layer < buffers.firstKept { forward.fill(layer, batch) }
            feedForward(layer, batch.rowCount)
            attention(layer, batch)
        }
        embedding(batch.rowCount)
    }

    /// Tokens may repeat, so threads share out columns and not rows.
    private func embedding(_ rows: Int) {
        guard let sums = target.weights else { return }
        let hidden = configuration.hiddenSize
        let table = sums + weights.layout.embedding.offset
        crew.run(over: hidden, by: 128) { columns, _ in
            for row in 0..<rows {
                TrainingKernels.add(
                    table + Int(buffers.tokens.pointer[row]) * hidden + columns.lowerBound,
                    buffers.residual.pointer + row * hidden + columns.lowerBound, count: columns.count)
            }
        }
    }

    private func feedForward(_ index: Int, _ rows: Int) {
        let saved = buffers.layers[index]
        let slices = weights.layout.layers[index]
        linear.run(
            [slices.down], packed: weights.layers[index].down, biases: [slices.downBias],
            output: .init(pointer: buffers.residual.pointer, stride: configuration.hiddenSize, rows: rows),
            input: saved.activated.pointer, into: buffers.wider.pointer)
        activation(
            index, rows, [slices.gate, slices.up], biases: [slices.gateBias, slices.upBias],
            input: saved.middleNormed.pointer)
        norm(slices.postAttentionNorm, input: saved.middle.pointer, rows: rows)
    }

    /// Backward of SwiGLU and of the product before it; in bf16 the derivative between them exists only as rounded.
    private func activation(
        _ index: Int, _ rows: Int, _ slices: [TensorSlice], biases: [TensorSlice?],
        input: UnsafePointer<BFloat16Bits>
    ) {
        let inner = configuration.intermediateSize
        let gateUp = buffers.layers[index].gateUp.pointer
        let matrix = weights.layers[index].gateUp
        switch linear.factors.precision {
        case .bfloat16:
            let derivative = linear.factors.derivative(outputs: 2 * inner, rows: rows)
            crew.run(over: rows, by: RoundedDerivative.block) { block, _ in
                TrainingKernels.swiGLUBackward(
                    gateUp: gateUp, stride: 2 * inner, outputGradient: buffers.wider.pointer, rows: block,
                    width: inner, into: derivative)
            }
            linear.runRounded(
                slices, packed: matrix, biases: biases, rows: rows, input: input, into: buffers.narrow.pointer)
        case .float32:
            crew.run(over: rows, by: 16) { block, _ in
                for row in block {
                    let gate = gateUp + row * 2 * inner
                    let slope = buffers.wide.pointer + row * 2 * inner
                    TrainingKernels.swiGLUBackward(
                        gate: gate, up: gate + inner, outputGradient: buffers.wider.pointer + row * inner,
                        gateGradient: slope, upGradient: slope + inner, count: inner)
                }
            }
            linear.run(
                slices, packed: matrix, biases: biases,
                output: .init(pointer: buffers.wide.pointer, stride: 2 * inner, rows: rows), input: input,
                into: buffers.narrow.pointer)
        }
    }

    private func attention(_ index: Int, _ batch: MicroBatch) {
        let saved = buffers.layers[index]
        let slices = weights.layout.layers[index]
        let queryWidth = configuration.queryWidth
        let stride = queryWidth + 2 * configuration.keyValueWidth
        linear.run(
            [slices.output], packed: weights.layers[index].attentionOutput, biases: [slices.outputBias],
            output: .init(
                pointer: buffers.residual.pointer, stride: configuration.hiddenSize, rows: batch.rowCount),
            input: saved.attended.pointer, into: buffers.wider.pointer)
        AttentionBackward(
            crew: crew, kernels: forward.kernels, shape: AttentionShape(configuration, layer: index),
            scratch: buffers.attention
        ).run(
            batch,
            .init(
                query: saved.query.pointer, key: saved.key.pointer, value: saved.value.pointer,
                outputGradient: buffers.wider.pointer,
                roundedGradient: linear.factors.derivative(outputs: queryWidth, rows: batch.rowCount).rows,
                gradient: buffers.wide.pointer, stride: stride))
        rotation(index, rows: batch.rowCount)
        linear.run(
            [slices.query, slices.key, slices.value], packed: weights.layers[index].queryKeyValue,
            biases: [slices.queryBias, slices.keyBias, slices.valueBias],
            output: .init(pointer: buffers.wide.pointer, stride: stride, rows: batch.rowCount),
            input: saved.normed.pointer, into: buffers.narrow.pointer)
        norm(slices.inputNorm, input: buffers.residuals[index].pointer, rows: batch.rowCount)
    }

    /// Backward of rotation and q/k norms, in place over the q and k columns of the wide scratch.
    private func rotation(_ index: Int, rows: Int) {
        let slices = weights.layout.layers[index]
        let width = configuration.headDimension
        let stride = configuration.queryWidth + 2 * configuration.keyValueWidth
        let rotary = weights.rotary(layer: index).rows(for: buffers.size.longest)
        let projected = buffers.layers[index].projected.pointer
        let parts: [(Int, Int, TensorSlice?)] = [
            (0, configuration.heads, slices.queryNorm),
            (configuration.queryWidth, configuration.keyValueHeads, slices.keyNorm),
        ]
        for (column, heads, slice) in parts {
            sumNorms(slice, rows: rows) { block, weight, weightGradient in
                for row in block {
                    let gradient = buffers.wide.pointer + row * stride + column
                    let angle = Int(buffers.positions.pointer[row]) * (width / 2)
                    TrainingKernels.rotaryBackward(
                        gradient, cosines: rotary.cosines + angle, sines: rotary.sines + angle, heads: heads,
                        width: width)
                    guard let weightGradient else { continue }
                    TrainingKernels.rmsNormBackward(
                        input: projected + row * stride + column, weight: weight,
                        epsilon: configuration.rmsEpsilon, outputGradient: gradient, inputGradient: gradient,
                        weightGradient: weightGradient, rows: heads, width: width, accumulate: false)
                }
            }
        }
    }

    /// Backward of a norm on the residual stream: adds to the stream's derivative.
    private func norm(_ slice: TensorSlice, input: UnsafePointer<Float>, rows: Int) {
        let hidden = configuration.hiddenSize
        sumNorms(slice, rows: rows) { block, weight, weightGradient in
            guard let weightGradient else { return }
            let first = block.lowerBound * hidden
            TrainingKernels.rmsNormBackward(
                input: input + first, weight: weight, epsilon: configuration.rmsEpsilon,
                outputGradient: buffers.narrow.pointer + first, inputGradient: buffers.residual.pointer + first,
                weightGradient: weightGradient, rows: block.count, width: hidden, accumulate: true)
        }
    }

    /// Runs over blocks of rows, each with its own sum of a norm's derivative; the sums are then added in order.
    private func sumNorms(
        _ slice: TensorSlice?, rows: Int,
        _ body: (_ block: Range<Int>, _ weight: UnsafePointer<Float>, _ sum: UnsafeMutablePointer<Float>?) -> Void
    ) {
        let weight = buffers.normWeight.pointer
        if let slice { TrainingKernels.widen(weights[slice], weight, count: slice.count) }
        let size = TrainingBuffers.normRows
        guard let slice, crew.isShared else {
            let sum = slice.map { target.vector($0) }
            crew.run(over: rows, by: size) { block, _ in body(block, weight, sum) }
            return
        }
        let sums = buffers.normPartials.pointer
        crew.run(over: rows, by: size) { block, _ in
            let sum = sums + block.lowerBound / size * slice.count
            sum.update(repeating: 0, count: slice.count)
            body(block, weight, sum)
        }
        guard let total = target.weights else { return }
        for block in 0..<crew.blockCount(rows, of: size) {
            TrainingKernels.add(total + slice.offset, sums + block * slice.count, count: slice.count)
        }
    }
}
