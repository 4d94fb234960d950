import Tensors

/// From hidden rows to logits and log-probabilities.
extension Decoder {
    /// Ids per block of logits: a multiple of the 48 rows of a panel and of the 2048 ids of a log-sum-exp block.
    public static let vocabularyChunk = 6144
    static let chunkRows = 32

    /// Computes the logits of rows into [rows, vocabulary].
    public func logits(_ rows: HiddenRows, into target: UnsafeMutablePointer<Float>) {
        kernels.matmul(
            rows.pointer, stride: rows.width, rows: rows.count, by: weights.output, into: target,
            outStride: configuration.vocabularySize, pool: pool)
    }

    /// The logits of rows [rows, vocabulary], for few rows or small vocabularies.
    public func logits(_ rows: HiddenRows) -> Storage<Float> {
        let result = Storage<Float>(count: rows.count * configuration.vocabularySize, zeroed: false)
        logits(rows, into: result.pointer)
        return result
    }

    /// Hands out the logits of rows in blocks of ids, so that those of a whole batch are never stored.
    ///
    /// `body` is called once for every row and block, on several threads at once and in no particular order. Combine the
    /// blocks of a row in ascending order of `firstID` afterwards; that order is part of the arithmetic.
    ///
    /// - Parameters:
    ///   - rows: the hidden rows.
    ///   - body: receives the row, the first id of the block (a multiple of ``vocabularyChunk``), its logits, their number
    ///     and the thread.
    public func visitLogits(
        _ rows: HiddenRows,
        _ body: (_ row: Int, _ firstID: Int, _ logits: UnsafePointer<Float>, _ count: Int, _ thread: Int) -> Void
    ) {
        guard rows.count > 0 else { return }
        let vocabulary = configuration.vocabularySize
        let chunks = (vocabulary + Self.vocabularyChunk - 1) / Self.vocabularyChunk
        let stride = min(vocabulary, Self.vocabularyChunk)
        let rowsPerTask = rowsPerTask(rows.count, chunks: chunks)
        let blocks = (rows.count + rowsPerTask - 1) / rowsPerTask
        reserveLogitsScratch(rowsPerTask * stride)
        let output = weights.output
        let panelsPerChunk = Self.vocabularyChunk / PackedMatrix.panelWidth
        pool.run(blocks * chunks) { task, thread in
            let (chunk, block) = (task / blocks, task % blocks)
            let firstRow = block * rowsPerTask
            let count = min(rowsPerTask, rows.count - firstRow)
            let firstID = chunk * Self.vocabularyChunk
            let panels = chunk * panelsPerChunk..<min((chunk + 1) * panelsPerChunk, output.panelCount)
            let scratch = logitsScratch[thread].pointer
            // The kernels address column 0 of the whole matrix, of which this block holds the columns from firstID on.
            kernels.matmul(
                rows.pointer + firstRow * rows.width, stride: rows.width, rows: count, by: output, panels: panels,
                into: scratch - firstID, outStride: stride)
            let ids = min(Self.vocabularyChunk, vocabulary - firstID)
            for row in 0..<count { body(firstRow + row, firstID, scratch + row * stride, ids, thread) }
        }
    }

    /// The log-probabilities of one token per row, over the whole vocabulary (rule 8).
    ///
    /// - Parameters:
    ///   - rows: the hidden rows.
    ///   - tokens: the token that each row is to predict.
    ///   - temperature: what logits are divided by; 0 (greedy) counts as 1.
    /// - Throws: `ModelError` when a token is outside the vocabulary or a result is not finite.
    public func logProbabilities(
        _ rows: HiddenRows, tokens: ArraySlice<Int32>, temperature: Float
    ) throws(ModelError) -> [Float] {
        precondition(tokens.count == rows.count, "\(tokens.count) tokens for \(rows.count) rows")
        for token in tokens where token < 0 || Int(token) >= configuration.vocabularySize {
            throw ModelError(
                .invalidRequest, place: "log-probabilities",
                "token \(token) is outside the vocabulary of \(configuration.vocabularySize)")
        }
        let divisor = temperature == 0 ? 1 : temperature
        let sums = (configuration.vocabularySize + VocabularyBlock.size - 1) / VocabularyBlock.size
        var targets = [Float](repeating: 0, count: rows.count)
        // Every element is written: each row is visited in every block of ids.
        let blocks = [VocabularyBlock](unsafeUninitializedCapacity: rows.count * sums) { blocks, initialized in
            targets.withUnsafeMutableBufferPointer { targets in
                visitLogits(rows) { row, firstID, logits, count, _ in
                    for start in stride(from: 0, to: count, by: VocabularyBlock.size) {
                        blocks[row * sums + (firstID + start) / VocabularyBlock.size] = kernels.vocabularyBlock(
                            logits + start, count: min(VocabularyBlock.size, count - start), temperature: divisor)
                    }
                    let target = Int(tokens[tokens.startIndex + row]) - firstID
                    if target >= 0, target < count { targets[row] = logits[target] }
                }
            }
            initialized = rows.count * sums
        }
        let result: [Float] = blocks.withUnsafeBufferPointer { blocks in
            (0..<rows.count).map { row in
                kernels.vocabularySum(
                    combining: UnsafeBufferPointer(rebasing: blocks[row * sums..<(row + 1) * sums]),
                    temperature: divisor
                ).logProbability(ofLogit: targets[row])
            }
        }
        guard result.allSatisfy({ $0.isFinite }) else {
            throw ModelError(
                .notFinite, place: "log-probabilities",
                "a log-probability is not finite; these weights cannot be used, go back to an earlier version")
        }
        return result
    }

    private func rowsPerTask(_ rows: Int, chunks: Int) -> Int {
        // Few rows are not cut; the blocks of ids share them out.
        let wanted = (rows + 2 * pool.threads - 1) / (2 * pool.threads)
        return min(rows, chunks > pool.threads ? Self.chunkRows : max(8, min(Self.chunkRows, wanted)))
    }

    private func reserveLogitsScratch(_ count: Int) {
        if logitsScratch.first.map({ $0.count >= count }) == true { return }
        logitsScratch = (0..<pool.threads).map { _ in Storage(count: count, zeroed: false) }
    }
}
