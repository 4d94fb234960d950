import Tensors

/// Whole sequences laid end to end, computed in one forward and one backward pass.
struct MicroBatch {
    /// One sequence's place in the rows of the micro-batch.
    struct Part {
        /// The sequence's index in the step's list.
        let sequence: Int
        /// Its rows, one per input token.
        let rows: Range<Int>
        /// Its first target's number among all targets of the step.
        let firstTarget: Int
        /// Its first page of keys and values among those of the micro-batch.
        let firstPage: Int
    }

    private(set) var parts: [Part] = []
    private(set) var rowCount = 0
    private(set) var targetCount = 0
    private var pageCount = 0

    /// The memory that it needs.
    var size: TrainingBuffers.Size {
        TrainingBuffers.Size(
            rows: rowCount, longest: parts.reduce(0) { max($0, $1.rows.count) }, pages: pageCount)
    }

    /// Splits sequences, in order, into micro-batches of at most `limit` rows; a longer sequence gets its own.
    ///
    /// The split depends on the sequences and on `limit` only, so gradients add up in the same order on every run.
    static func pack(_ sequences: [TrainingSequence], limit: Int) -> [MicroBatch] {
        var batches: [MicroBatch] = []
        var current = MicroBatch()
        var firstTarget = 0
        for (index, sequence) in sequences.enumerated() {
            defer { firstTarget += sequence.targetCount }
            guard sequence.targetCount > 0 else { continue }
            let count = sequence.inputCount
            if current.rowCount > 0, current.rowCount + count > limit {
                batches.append(current)
                current = MicroBatch()
            }
            current.parts.append(
                Part(
                    sequence: index, rows: current.rowCount..<current.rowCount + count,
                    firstTarget: firstTarget, firstPage: current.pageCount))
            current.pageCount += KeyValuePageLayout.pages(for: count)
            current.rowCount += count
            current.targetCount += sequence.targetCount
        }
        if current.rowCount > 0 { batches.append(current) }
        return batches
    }
}
