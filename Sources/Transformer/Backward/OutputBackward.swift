import Tensors

/// Log-probabilities of the targets of a micro-batch, and the derivative of the loss at the end of the residual stream.
///
/// Rows are processed in blocks, so the logits of a whole batch are never stored.
struct OutputBackward {
    let forward: TrainingForward
    let temperature: Float

    private var crew: TrainingCrew { forward.crew }
    private var weights: ModelWeights { forward.weights }
    private var kernels: Kernels { forward.kernels }
    private var buffers: TrainingBuffers { forward.buffers }
    private var configuration: ModelConfiguration { weights.configuration }

    /// Runs over all targets of a micro-batch.
    ///
    /// - Parameters:
    ///   - target: what is added to; nil computes log-probabilities only.
    ///   - slope: gives the derivative of the loss with respect to a target's log-probability.
    ///   - pass: receives log-probabilities and entropies at the targets' numbers.
    func run(
        _ batch: MicroBatch, of sequences: [TrainingSequence], target: GradientTarget?,
        slope: (_ target: Int, _ logProbability: Float) -> Float, into pass: TargetStorage
    ) {
        let hidden = configuration.hiddenSize
        let vocabulary = configuration.vocabularySize
        let targets = batch.parts.flatMap { part in
            let sequence = sequences[part.sequence]
            return (0..<sequence.targetCount).map {
                (token: sequence.tokens[sequence.firstTarget + $0], number: part.firstTarget + $0)
            }
        }
        for first in stride(from: 0, to: targets.count, by: buffers.logitRows) {
            let rows = min(buffers.logitRows, targets.count - first)
            crew.multiply(
                kernels, buffers.outputNormed.pointer + first * hidden, stride: hidden, rows: rows, by: weights.output,
                into: buffers.logits.pointer, outStride: vocabulary)
            crew.run(rows) { row, _ in
                let (token, number) = targets[first + row]
                let logits = buffers.logits.pointer + row * vocabulary
                let logProbability = kernels.vocabularySum(logits, count: vocabulary, temperature: temperature)
                    .logProbability(ofLogit: logits[Int(token)])
                pass.logProbabilities.pointer[number] = logProbability
                pass.entropies.pointer[number] = TrainingKernels.logSoftmaxBackward(
                    logits, count: vocabulary, target: Int(token), temperature: temperature,
                    slope: target == nil ? 0 : slope(number, logProbability))
            }
            if let target { project(rows: rows, from: first, target) }
        }
        if let target { finalNorm(batch, of: sequences, target) }
    }

    /// From the logits' derivatives to those of the projection and of the normed rows, by blocks of ids.
    ///
    /// The normed rows' derivatives go to the narrow scratch, one row per target.
    private func project(rows: Int, from first: Int, _ target: GradientTarget) {
        let hidden = configuration.hiddenSize
        let vocabulary = configuration.vocabularySize
        let slice = weights.layout.outputProjection ?? weights.layout.embedding
        let linear = LinearBackward(
            crew: crew, kernels: kernels, factors: buffers.factors, target: target)
        linear.setInput(buffers.outputNormed.pointer + first * hidden, rows: rows, width: hidden)
        for id in stride(from: 0, to: vocabulary, by: ProductFactors.vocabularyBlock) {
            let ids = min(ProductFactors.vocabularyBlock, vocabulary - id)
            linear.product(
                .init(pointer: buffers.logits.pointer + id, stride: vocabulary, rows: rows), by: weights.output,
                rows: id..<id + ids, at: slice.offset + id * hidden, into: buffers.narrow.pointer + first * hidden,
                accumulating: id > 0)
        }
    }

    /// Spreads the targets' derivatives over the rows of the residual stream; rows without a target get zero.
    private func finalNorm(_ batch: MicroBatch, of sequences: [TrainingSequence], _ target: GradientTarget) {
        let hidden = configuration.hiddenSize
        let slice = weights.layout.finalNorm
        let stream = buffers.residuals[configuration.layers].pointer
        TrainingKernels.widen(weights[slice], buffers.normWeight.pointer, count: hidden)
        buffers.residual.pointer.update(repeating: 0, count: batch.rowCount * hidden)
        var done = 0
        for part in batch.parts {
            let sequence = sequences[part.sequence]
            let row = part.rows.lowerBound + sequence.firstTarget - 1
            TrainingKernels.rmsNormBackward(
                input: stream + row * hidden, weight: buffers.normWeight.pointer,
                epsilon: configuration.rmsEpsilon, outputGradient: buffers.narrow.pointer + done * hidden,
                inputGradient: buffers.residual.pointer + row * hidden,
                weightGradient: target.vector(slice), rows: sequence.targetCount, width: hidden,
                accumulate: false)
            done += sequence.targetCount
        }
    }
}

/// Where the threads of a pass leave what they find, by number of the target; each writes its own places.
struct TargetStorage {
    let logProbabilities: Storage<Float>
    let entropies: Storage<Float>

    init(count: Int) {
        logProbabilities = Storage(count: count)
        entropies = Storage(count: count)
    }

    /// The finished pass.
    var pass: TrainingPass {
        TrainingPass(logProbabilities: Array(logProbabilities.buffer), entropies: Array(entropies.buffer))
    }
}
