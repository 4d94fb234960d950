import Tensors

/// The end of the pass in f32: whole rows of logits.
extension OutputBackward {
    /// Log-probabilities and entropies of a block, and its derivatives where there is a target.
    ///
    /// The normed rows' derivatives go to the narrow scratch, one row per target.
    func runRows(
        _ block: Block, _ target: GradientTarget?, _ slope: (_ target: Int, _ logProbability: Float) -> Float,
        into pass: TargetStorage
    ) {
        let hidden = weights.configuration.hiddenSize
        let vocabulary = weights.configuration.vocabularySize
        let logits = buffers.output.logits.pointer
        let input = buffers.outputNormed.pointer + block.first * hidden
        crew.multiply(
            kernels, input, stride: hidden, rows: block.rows, by: weights.output, into: logits, outStride: vocabulary)
        crew.run(block.rows) { row, _ in
            let logits = logits + row * vocabulary
            let logProbability = kernels.vocabularySum(logits, count: vocabulary, temperature: temperature)
                .logProbability(ofLogit: logits[block[row].token])
            pass.logProbabilities.pointer[block[row].number] = logProbability
            pass.entropies.pointer[block[row].number] = TrainingKernels.logSoftmaxBackward(
                logits, count: vocabulary, target: block[row].token, temperature: temperature,
                slope: target == nil ? 0 : slope(block[row].number, logProbability))
        }
        guard let target else { return }
        let linear = linear(target, block)
        linear.setPlainInput(input, rows: block.rows, width: hidden)
        for id in stride(from: 0, to: vocabulary, by: ProductFactors.vocabularyBlock) {
            let ids = min(ProductFactors.vocabularyBlock, vocabulary - id)
            linear.plainProduct(
                .init(pointer: logits + id, stride: vocabulary, rows: block.rows), by: weights.output,
                rows: id..<id + ids, at: projection.offset + id * hidden,
                into: buffers.narrow.pointer + block.first * hidden, accumulating: id > 0)
        }
    }
}
