import Tensors

/// Log-probabilities of the targets of a micro-batch, and the derivative of the loss at the end of the residual stream.
///
/// Rows are processed in blocks, so the logits of a whole batch are never stored.
struct OutputBackward {
    let forward: TrainingForward
    let temperature: Float

    /// A token whose log-probability is asked for.
    struct Target {
        let token: Int
        /// Its number among all targets of the step.
        let number: Int
    }

    /// Rows of the output projection that are computed together, one for each of these targets.
    struct Block {
        /// The first row's place among the micro-batch's targets.
        let first: Int
        let targets: ArraySlice<Target>

        var rows: Int { targets.count }

        subscript(row: Int) -> Target { targets[targets.startIndex + row] }
    }

    var crew: TrainingCrew { forward.crew }
    var weights: ModelWeights { forward.weights }
    var kernels: Kernels { forward.kernels }
    var buffers: TrainingBuffers { forward.buffers }
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
        let targets = batch.parts.flatMap { part in
            let sequence = sequences[part.sequence]
            return (0..<part.targetCount).map {
                Target(token: Int(sequence.tokens[sequence.firstTarget + $0]), number: part.firstTarget + $0)
            }
        }
        for first in stride(from: 0, to: targets.count, by: buffers.output.rows) {
            let block = Block(first: first, targets: targets[first..<min(first + buffers.output.rows, targets.count)])
            switch buffers.factors.precision {
            case .bfloat16: runBlocks(block, target, slope, into: pass)
            case .float32: runRows(block, target, slope, into: pass)
            }
        }
        if let target { finalNorm(batch, of: sequences, target) }
    }

    /// Where the derivative of the output projection lies.
    var projection: TensorSlice { weights.layout.outputProjection ?? weights.layout.embedding }

    /// A product's backward for a block of rows: what earlier blocks left is added to.
    func linear(_ target: GradientTarget, _ block: Block) -> LinearBackward {
        LinearBackward(
            crew: crew, kernels: kernels, factors: buffers.factors, target: block.first > 0 ? target.adding : target)
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
            for rows in part.predictingRows(sequences[part.sequence]) {
                // Added, because the last row of a shared prompt predicts several targets.
                TrainingKernels.rmsNormBackward(
                    input: stream + rows.lowerBound * hidden, weight: buffers.normWeight.pointer,
                    epsilon: configuration.rmsEpsilon, outputGradient: buffers.narrow.pointer + done * hidden,
                    inputGradient: buffers.residual.pointer + rows.lowerBound * hidden,
                    weightGradient: target.vector(slice), rows: rows.count, width: hidden, accumulate: true)
                done += rows.count
            }
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
