import Tensors

/// Draws tokens from hidden rows: multiplies them with the output projection and reads every logit once, while it is
/// in the cache.
///
/// Logits are computed for a block of ids and rows at a time, handed to the choosers, and forgotten. Which thread sees a
/// block, in what order and together with which other rows, changes no bit of any token or log-probability.
public final class LogitsPass {
    let output: PackedMatrix
    let kernels: Kernels
    let pool: ComputePool
    /// Floats of one thread's logits.
    var scratch: [Storage<Float>] = []
    /// Logits of whole rows, where filters need them.
    private var wholeRows: Storage<Float>?

    /// Below this many weights a thread takes whole rows; above, threads share the projection's panels.
    private static let sharedProjectionWeights = 1 << 19
    private static let rowsPerTask = 16
    private static let largestScratchBytes = 1 << 24

    /// A pass over `output` [vocabulary, hidden].
    public init(output: PackedMatrix, kernels: Kernels, pool: ComputePool) {
        self.output = output
        self.kernels = kernels
        self.pool = pool
    }

    /// Draws every token.
    ///
    /// - Parameters:
    ///   - rows: bf16 [count, hidden], contiguous.
    ///   - draws: in ascending order of their rows.
    ///   - choosers: one for each group.
    /// - Returns: one token for each draw.
    /// - Throws: `SamplingError.nonFiniteLogits` for the first draw without a distribution.
    public func draw(
        _ draws: [TokenDraw], _ choosers: [TokenChooser], from rows: UnsafePointer<BFloat16Bits>
    ) throws(SamplingError) -> [ChosenToken] {
        let batch = DrawBatch(draws, choosers)
        if output.rows * output.columns < LogitsPass.sharedProjectionWeights {
            drawByRows(batch, from: rows)
        } else if choosers.contains(where: \.needsWholeRows) {
            drawByWholeRows(batch, from: rows)
        } else {
            drawByBlocks(batch, from: rows)
        }
        return try batch.finish()
    }

    private func drawByRows(_ batch: DrawBatch, from rows: UnsafePointer<BFloat16Bits>) {
        let block = LogitsPass.rowsPerTask
        let stride = paddedVocabulary
        reserveScratch(block * stride)
        pool.run((batch.rowCount + block - 1) / block) { task, thread in
            let first = task * block
            let taken = min(block, batch.rowCount - first)
            let logits = scratch[thread].pointer
            kernels.matmul(
                rows + first * output.columns, stride: output.columns, rows: taken, by: output, into: logits,
                outStride: stride)
            for row in 0..<taken { batch.draw(fromRow: first + row, logits + row * stride) }
        }
    }

    private func drawByWholeRows(_ batch: DrawBatch, from rows: UnsafePointer<BFloat16Bits>) {
        let stride = paddedVocabulary
        let block = max(1, min(batch.rowCount, LogitsPass.largestScratchBytes / (4 * stride)))
        let logits = wholeRows.flatMap { $0.count >= block * stride ? $0 : nil } ?? Storage(count: block * stride)
        wholeRows = logits
        for first in Swift.stride(from: 0, to: batch.rowCount, by: block) {
            let taken = min(block, batch.rowCount - first)
            kernels.matmul(
                rows + first * output.columns, stride: output.columns, rows: taken, by: output, into: logits.pointer,
                outStride: stride, pool: pool)
            pool.run(taken) { row, _ in batch.draw(fromRow: first + row, logits.pointer + row * stride) }
        }
    }

    /// The row stride of logits of the whole vocabulary.
    private var paddedVocabulary: Int { output.panelCount * PackedMatrix.panelWidth }

    func reserveScratch(_ count: Int) {
        if scratch.first.map({ $0.count >= count }) == true { return }
        scratch = (0..<pool.threads).map { _ in Storage(count: count, zeroed: false) }
    }
}
