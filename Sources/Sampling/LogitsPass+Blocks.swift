import Tensors

/// Large vocabularies: a block of ids for a few rows at a time, read before it leaves the second-level cache.
extension LogitsPass {
    /// Ids of one task: a multiple of a panel's 48 and of a block's 2048.
    private static let idsPerTask = 3 * VocabularyBlock.size
    /// Rows of one task: enough for the product to use its weights often, few enough for the logits to stay in the cache.
    private static let rowsPerTask = 64
    /// A block, what panels reach beyond it, and room that keeps rows from falling on the same lines of the cache.
    private static let stride = VocabularyBlock.size + 64
    /// Rows whose state is held at once.
    private static let rowsPerRound = 1024

    func drawByBlocks(_ batch: DrawBatch, from rows: UnsafePointer<BFloat16Bits>) {
        for first in Swift.stride(from: 0, to: batch.rowCount, by: LogitsPass.rowsPerRound) {
            drawRound(batch, first..<min(first + LogitsPass.rowsPerRound, batch.rowCount), from: rows)
        }
    }

    private func drawRound(_ batch: DrawBatch, _ range: Range<Int>, from rows: UnsafePointer<BFloat16Bits>) {
        let draws =
            batch.indices(ofRow: range.lowerBound)
            .lowerBound..<batch.indices(
                ofRow: range.upperBound - 1
            ).upperBound
        let round = DrawRound(
            batch, draws: draws, rows: range, threads: pool.threads,
            blocks: VocabularyBlock.count(vocabularySize: output.rows))
        let tasks = (output.rows + LogitsPass.idsPerTask - 1) / LogitsPass.idsPerTask
        let rowsPerTask = rowsPerTask(range.count, tasks: tasks)
        let rowTasks = (range.count + rowsPerTask - 1) / rowsPerTask
        reserveScratch(rowsPerTask * LogitsPass.stride)
        pool.run(tasks * rowTasks) { task, thread in
            let first = range.lowerBound + task % rowTasks * rowsPerTask
            sample(
                round, rows: first..<min(first + rowsPerTask, range.upperBound), task: task / rowTasks,
                from: rows + first * output.columns, thread)
        }
        pool.run((draws.count + 15) / 16) { task, _ in
            let first = draws.lowerBound + task * 16
            for index in first..<min(first + 16, draws.upperBound) { round.finish(index) }
        }
    }

    /// Few ids leave few tasks: then rows are shared out as well.
    private func rowsPerTask(_ rows: Int, tasks: Int) -> Int {
        guard tasks < 2 * pool.threads else { return min(rows, LogitsPass.rowsPerTask) }
        let wanted = (rows + 2 * pool.threads - 1) / (2 * pool.threads)
        return min(rows, max(8, min(LogitsPass.rowsPerTask, wanted)))
    }

    /// The blocks of one task for some rows.
    ///
    /// Panels do not end where blocks do: what a block's last panel holds beyond it is moved to the front of the next.
    private func sample(
        _ round: DrawRound, rows: Range<Int>, task: Int, from source: UnsafePointer<BFloat16Bits>, _ thread: Int
    ) {
        let (width, stride) = (PackedMatrix.panelWidth, LogitsPass.stride)
        let logits = scratch[thread].pointer
        var panel = task * LogitsPass.idsPerTask / width
        let ids = task * LogitsPass.idsPerTask..<min((task + 1) * LogitsPass.idsPerTask, output.rows)
        for first in Swift.stride(from: ids.lowerBound, to: ids.upperBound, by: VocabularyBlock.size) {
            let end = min(first + VocabularyBlock.size, ids.upperBound)
            let nextPanel = (end + width - 1) / width
            // The kernels address column 0 of the whole matrix, of which the scratch holds the columns from `first` on.
            kernels.matmul(
                source, stride: output.columns, rows: rows.count, by: output, panels: panel..<nextPanel,
                into: logits - first, outStride: stride)
            for row in rows {
                round.sample(
                    row, block: first / VocabularyBlock.size, logits + (row - rows.lowerBound) * stride, thread)
            }
            let reached = min(nextPanel * width, ids.upperBound)
            if reached > end {
                for row in 0..<rows.count {
                    (logits + row * stride).update(from: logits + row * stride + end - first, count: reached - end)
                }
            }
            panel = nextPanel
        }
    }
}
