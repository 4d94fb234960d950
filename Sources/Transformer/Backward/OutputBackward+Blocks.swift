import Foundation
import Tensors

/// The end of the pass in bf16: logits of some rows and ids at a time, of which half the bytes are kept.
extension OutputBackward {
    private var vocabulary: Int { weights.configuration.vocabularySize }
    private var blockCount: Int { VocabularyBlock.count(vocabularySize: vocabulary) }
    private var output: OutputBuffers { buffers.output }

    /// Log-probabilities and entropies of a block, and its derivatives where there is a target.
    ///
    /// The normed rows' derivatives go to the narrow scratch, one row per target.
    func runBlocks(
        _ block: Block, _ target: GradientTarget?, _ slope: (_ target: Int, _ logProbability: Float) -> Float,
        into pass: TargetStorage
    ) {
        let rowTasks = (block.rows + OutputBuffers.taskRows - 1) / OutputBuffers.taskRows
        let idTasks = (vocabulary + OutputBuffers.taskIds - 1) / OutputBuffers.taskIds
        // The same ids for all rows first, while their weights are in the cache.
        crew.run(rowTasks * idTasks) { task, thread in
            let row = task % rowTasks * OutputBuffers.taskRows
            let id = task / rowTasks * OutputBuffers.taskIds
            sum(
                block, rows: row..<min(row + OutputBuffers.taskRows, block.rows),
                ids: id..<min(id + OutputBuffers.taskIds, vocabulary), logits: output.blocks[thread].pointer,
                keeping: target != nil)
        }
        crew.run(block.rows) { row, _ in
            finish(block, row: row, isLearning: target != nil, slope, into: pass)
        }
        if let target { differentiate(block, target) }
    }

    /// The logits of some rows and ids: their sums of rule 8, and what is kept of them.
    private func sum(
        _ block: Block, rows: Range<Int>, ids: Range<Int>, logits: UnsafeMutablePointer<Float>, keeping: Bool
    ) {
        let hidden = weights.configuration.hiddenSize
        let panels =
            ids.lowerBound / PackedMatrix.panelWidth..<(ids.upperBound + PackedMatrix.panelWidth - 1)
            / PackedMatrix.panelWidth
        kernels.matmul(
            buffers.outputNormed.pointer + (block.first + rows.lowerBound) * hidden, stride: hidden,
            rows: rows.count, by: weights.output, panels: panels, into: logits - ids.lowerBound,
            outStride: ids.count)
        for row in rows {
            let logits = logits + (row - rows.lowerBound) * ids.count
            if ids.contains(block[row].token) {
                output.targets.pointer[row] = logits[block[row].token - ids.lowerBound]
            }
            for id in stride(from: ids.lowerBound, to: ids.upperBound, by: VocabularyBlock.size) {
                let values = logits + (id - ids.lowerBound)
                let count = min(VocabularyBlock.size, ids.upperBound - id)
                let place = row * blockCount + id / VocabularyBlock.size
                let sum = kernels.vocabularyBlock(values, count: count, temperature: temperature)
                output.sums.pointer[place] = sum
                output.weighted.pointer[place] = TrainingKernels.softmaxNumerators(
                    values, count: count, temperature: temperature, maximum: sum.maximum,
                    into: keeping ? output.numerators.pointer + row * vocabulary + id : nil)
            }
        }
    }

    /// A row's log-probability and entropy, and the factors that turn what was kept into its derivative.
    private func finish(
        _ block: Block, row: Int, isLearning: Bool, _ slope: (_ target: Int, _ logProbability: Float) -> Float,
        into pass: TargetStorage
    ) {
        let sums = UnsafeBufferPointer(start: output.sums.pointer + row * blockCount, count: blockCount)
        let total = kernels.vocabularySum(combining: sums, temperature: temperature)
        let logProbability = total.logProbability(ofLogit: output.targets.pointer[row])
        pass.logProbabilities.pointer[block[row].number] = logProbability
        let step = isLearning ? slope(block[row].number, logProbability) / temperature : 0
        output.steps.pointer[row] = step
        var mean: Float = 0
        for (index, sum) in sums.enumerated() {
            let share: Float = exp(sum.maximum - total.maximum - total.logSum)
            mean +=
                share
                * (output.weighted.pointer[row * blockCount + index] + (sum.maximum - total.maximum) * sum.sum)
            output.factors.pointer[index * output.rows + row] = -step * share
        }
        pass.entropies.pointer[block[row].number] = total.logSum - mean
    }

    /// From what was kept to the derivatives of the projection and of the normed rows, by blocks of ids.
    private func differentiate(_ block: Block, _ target: GradientTarget) {
        let hidden = weights.configuration.hiddenSize
        let linear = linear(target, block)
        linear.setInput(buffers.outputNormed.pointer + block.first * hidden, rows: block.rows, width: hidden)
        for index in 0..<blockCount {
            let id = index * ProductFactors.vocabularyBlock
            let ids = id..<min(id + ProductFactors.vocabularyBlock, vocabulary)
            let derivative = buffers.factors.derivative(outputs: ids.count, rows: block.rows)
            crew.run(over: block.rows, by: RoundedDerivative.block) { rows, _ in
                TrainingKernels.softmaxBackward(
                    output.numerators.pointer + id, stride: vocabulary,
                    factors: output.factors.pointer + index * output.rows, rows: rows, count: ids.count,
                    into: derivative)
                for row in rows where ids.contains(block[row].token) {
                    let place = block[row].token - id
                    let known = output.numerators.pointer[row * vocabulary + block[row].token]
                    let share = TrainingKernels.softmaxNumerator(known)
                    let slope = output.steps.pointer[row] + output.factors.pointer[index * output.rows + row] * share
                    derivative.set(slope, row: row, output: place)
                }
            }
            linear.inputProduct(
                derivative, by: weights.output, rows: ids, count: block.rows,
                into: buffers.narrow.pointer + block.first * hidden, accumulating: index > 0)
            linear.weightProduct(
                derivative, outputs: ids.count, rows: block.rows, width: hidden,
                at: projection.offset + id * hidden, adding: linear.target.isAdding)
        }
    }
}
