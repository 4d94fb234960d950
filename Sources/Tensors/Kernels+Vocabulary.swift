import CKernels

/// Maximum and sum of exponentials of one block of 2048 ids (rule 8).
public struct VocabularyBlock: Sendable, Equatable, BitwiseCopyable {
    /// The largest `logit / temperature` of the block.
    public var maximum: Float
    /// `Σ exp(z - maximum)` in the lanes of rule 4.
    public var sum: Float

    /// Ids per block; blocks start at multiples of it.
    public static let size = Int(CK_VOCABULARY_BLOCK)

    /// How many blocks a vocabulary has.
    public static func count(vocabularySize: Int) -> Int {
        (vocabularySize + size - 1) / size
    }
}

/// The normaliser of a row of logits: log-probability = (z - maximum) - logSum.
public struct VocabularySum: Sendable, Equatable {
    /// The largest z.
    public var maximum: Float
    /// `log Σ exp(z - maximum)`.
    public var logSum: Float
    /// What logits are divided by; 1 for greedy decoding.
    public var temperature: Float

    init(maximum: Float, logSum: Float, temperature: Float) {
        self.maximum = maximum
        self.logSum = logSum
        self.temperature = temperature
    }

    /// The log-probability of the token with this raw logit.
    public func logProbability(ofLogit logit: Float) -> Float {
        CanonicalEnvironment.run { ck_log_probability(logit, temperature, maximum, logSum) }
    }
}

extension Kernels {
    /// The log-sum-exp of one block of at most 2048 logits whose first id is a multiple of 2048.
    public func vocabularyBlock(
        _ logits: UnsafePointer<Float>, count: Int, temperature: Float
    ) -> VocabularyBlock {
        precondition(count > 0 && count <= VocabularyBlock.size && temperature > 0)
        let block = CanonicalEnvironment.run { table.pointee.block_sum(logits, count, temperature) }
        return VocabularyBlock(maximum: block.maximum, sum: block.sum)
    }

    /// The log-sum-exp of a whole row of logits; temperature 0 (greedy) counts as 1 (rule 8).
    public func vocabularySum(
        _ logits: UnsafePointer<Float>, count: Int, temperature: Float
    ) -> VocabularySum {
        precondition(count > 0 && temperature >= 0)
        let divisor = temperature == 0 ? 1 : temperature
        return withUnsafeTemporaryAllocation(
            of: VocabularyBlock.self, capacity: VocabularyBlock.count(vocabularySize: count)
        ) { blocks in
            for block in blocks.indices {
                let first = block * VocabularyBlock.size
                blocks.initializeElement(
                    at: block,
                    to: vocabularyBlock(
                        logits + first, count: min(VocabularyBlock.size, count - first), temperature: divisor))
            }
            return vocabularySum(combining: UnsafeBufferPointer(blocks), temperature: temperature)
        }
    }

    /// Combines the blocks of one row, ascending from id 0; temperature 0 (greedy) counts as 1.
    public func vocabularySum(
        combining blocks: UnsafeBufferPointer<VocabularyBlock>, temperature: Float
    ) -> VocabularySum {
        var result = VocabularySum(maximum: 0, logSum: 0, temperature: temperature == 0 ? 1 : temperature)
        guard let base = blocks.baseAddress else { return result }
        base.withMemoryRebound(to: ck_block_sum.self, capacity: blocks.count) { sums in
            CanonicalEnvironment.run {
                table.pointee.combine(sums, blocks.count, &result.maximum, &result.logSum)
            }
        }
        return result
    }
}
