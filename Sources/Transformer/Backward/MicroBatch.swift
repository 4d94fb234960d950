import Tensors

/// Whole sequences laid end to end, computed in one forward and one backward pass.
///
/// Sequences that begin with the same prompt may share its rows: the prompt is then a part of its own, whose last row
/// predicts the first target of each.
struct MicroBatch {
    /// Rows of one sequence, or of the prompt that several share.
    struct Part {
        /// The sequence's index in the step's list; of a shared prompt, one of those that share it.
        let sequence: Int
        /// Its rows, one per input token.
        let rows: Range<Int>
        /// The rows of the prompt that was computed before it, and that prompt's first page; nil where it has its own.
        let prompt: (rows: Range<Int>, firstPage: Int)?
        /// Its targets: none of a shared prompt.
        let targetCount: Int
        /// Its first target's number among all targets of the step.
        let firstTarget: Int
        /// Its first page of keys and values among those of the micro-batch.
        let firstPage: Int

        /// The position of its first row.
        var firstPosition: Int { prompt?.rows.count ?? 0 }
        /// Positions up to its last.
        var length: Int { firstPosition + rows.count }
        /// Whole pages that it shares with its prompt.
        var sharedPages: Int { firstPosition / KeyValuePageLayout.positions }

        /// The page that holds some positions from `number` times their count on.
        func page(_ number: Int) -> Int {
            if let prompt, number < sharedPages { return prompt.firstPage + number }
            return firstPage + number - sharedPages
        }

        /// The row of a position.
        func row(of position: Int) -> Int {
            if let prompt, position < firstPosition { return prompt.rows.lowerBound + position }
            return rows.lowerBound + position - firstPosition
        }

        /// The rows that predict its targets, in order.
        func predictingRows(_ sequence: TrainingSequence) -> [Range<Int>] {
            guard targetCount > 0 else { return [] }
            let first = row(of: sequence.firstTarget - 1)
            guard prompt != nil else { return [first..<first + targetCount] }
            return [first..<first + 1, rows.lowerBound..<rows.lowerBound + targetCount - 1]
        }
    }

    private(set) var parts: [Part] = []
    private(set) var rowCount = 0
    private(set) var targetCount = 0
    private var pageCount = 0

    /// The memory that it needs.
    var size: TrainingBuffers.Size {
        // A prompt that many share may have fewer rows than they have targets.
        TrainingBuffers.Size(
            rows: max(rowCount, targetCount), longest: parts.reduce(0) { max($0, $1.length) }, pages: pageCount)
    }

    /// Packs sequences into micro-batches of at most `limit` rows, the longest first and each into the first one that has
    /// room; a sequence that is longer gets its own.
    ///
    /// What goes where depends on the sequences and on `limit` only, so gradients add up in the same order on every run.
    ///
    /// - Parameter sharing: whether sequences of one prompt share its rows.
    static func pack(_ sequences: [TrainingSequence], limit: Int, sharing: Bool = false) -> [MicroBatch] {
        var numbers: [Int] = []
        for sequence in sequences { numbers.append((numbers.last ?? 0) + sequence.targetCount) }
        let bundles = SequenceBundle.bundles(of: sequences, limit: limit, sharing: sharing)
        return SequenceBundle.fit(bundles, limit: limit).map { bundles in
            var batch = MicroBatch()
            for bundle in bundles {
                let prompt = bundle.prompt > 0 ? batch.append(prompt: bundle.prompt, of: bundle.members[0]) : nil
                for member in bundle.members {
                    batch.append(
                        sequences[member], number: member, after: prompt,
                        firstTarget: numbers[member] - sequences[member].targetCount)
                }
            }
            return batch
        }
    }

    private mutating func append(prompt count: Int, of sequence: Int) -> Part {
        let part = Part(
            sequence: sequence, rows: rowCount..<rowCount + count, prompt: nil, targetCount: 0, firstTarget: 0,
            firstPage: pageCount)
        take(part)
        return part
    }

    private mutating func append(_ sequence: TrainingSequence, number: Int, after prompt: Part?, firstTarget: Int) {
        let count = sequence.inputCount - (prompt?.rows.count ?? 0)
        take(
            Part(
                sequence: number, rows: rowCount..<rowCount + count,
                prompt: prompt.map { ($0.rows, $0.firstPage) }, targetCount: sequence.targetCount,
                firstTarget: firstTarget, firstPage: pageCount))
    }

    private mutating func take(_ part: Part) {
        parts.append(part)
        pageCount += KeyValuePageLayout.pages(for: part.length) - part.sharedPages
        rowCount += part.rows.count
        targetCount += part.targetCount
    }
}
