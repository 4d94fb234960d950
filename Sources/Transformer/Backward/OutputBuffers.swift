import Tensors

/// Memory for the logits of some rows, which become derivatives at once.
///
/// In f32 these are the logits themselves. In bf16 a thread holds a block of logits at a time, and what is kept of each
/// is `exp(z − maximum of its block)` in 16 bits: half the memory, so that twice the rows go through the output projection's
/// derivative at once, which reads and writes all of it.
struct OutputBuffers {
    /// Rows of the output projection that are computed together.
    let rows: Int

    /// [rows, vocabulary]; used in f32.
    let logits: Storage<Float>

    /// A block of logits for each thread; used in bf16, as all that follows.
    let blocks: [Storage<Float>]
    /// [rows, vocabulary].
    let numerators: Storage<UInt16>
    /// The sums of each row's blocks [rows, blocks].
    let sums: Storage<VocabularyBlock>
    /// `Σ exp(z − maximum) · (z − maximum)` of each block [rows, blocks].
    let weighted: Storage<Float>
    /// The raw logit of each row's target.
    let targets: Storage<Float>
    /// What the numerators of a row's block are multiplied by [blocks, rows].
    let factors: Storage<Float>
    /// The derivative of the loss with respect to each row's target, divided by the temperature.
    let steps: Storage<Float>

    /// Rows and ids of one task: whole panels and whole blocks of rule 8, small enough for a core's caches.
    static let (taskRows, taskIds) = (64, 3 * VocabularyBlock.size)

    /// Rows beyond which reading and writing the projection's gradient once more no longer counts beside the products.
    private static let mostRows = 512

    /// Elements that are held at once: 8 MiB for each thread of a small model, 128 and 160 MiB for a crew.
    private static let (aloneLogits, sharedLogits, sharedNumerators) = (2 << 20, 32 << 20, 80 << 20)

    init(
        vocabulary: Int, rows: Int, plan: TrainingPlan, threads: Int, from memory: inout TrainingMemory
    ) {
        let isRounded = plan.precision == .bfloat16
        let elements =
            plan.lanes > 0 ? Self.aloneLogits : isRounded ? Self.sharedNumerators : Self.sharedLogits
        self.rows = max(1, min(rows, Self.mostRows, elements / vocabulary))
        logits = memory.take(isRounded ? 0 : self.rows * vocabulary)
        let count = isRounded ? self.rows : 0
        let blockCount = VocabularyBlock.count(vocabularySize: vocabulary)
        blocks = (0..<threads).map { _ in
            memory.take(isRounded ? min(Self.taskRows, count) * min(Self.taskIds, vocabulary) : 0)
        }
        numerators = memory.take(count * vocabulary)
        sums = memory.take(count * blockCount)
        weighted = memory.take(count * blockCount)
        targets = memory.take(count)
        factors = memory.take(count * blockCount)
        steps = memory.take(count)
    }
}
