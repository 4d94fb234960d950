import Tensors

/// The state of some rows between the blocks of their logits.
///
/// Every thread continues its own choice, in the order in which it comes upon blocks; in the end the best one counts.
final class DrawRound {
    private let batch: DrawBatch
    private let draws: Range<Int>
    private let rows: Range<Int>
    private let threads: Int
    private let blocks: Int
    private let sums: Storage<VocabularyBlock>
    /// One for each thread and draw.
    private let choices: Storage<TokenChoice>
    private let claimedLogits: Storage<Float>

    init(_ batch: DrawBatch, draws: Range<Int>, rows: Range<Int>, threads: Int, blocks: Int) {
        self.batch = batch
        self.draws = draws
        self.rows = rows
        self.threads = threads
        self.blocks = blocks
        sums = Storage(count: rows.count * blocks, zeroed: false)
        choices = Storage(count: threads * draws.count, zeroed: false)
        choices.pointer.initialize(repeating: TokenChoice(), count: choices.count)
        claimedLogits = Storage(count: draws.count, zeroed: false)
    }

    /// Reads one block of a row for all that is drawn from it.
    func sample(_ row: Int, block: Int, _ logits: UnsafePointer<Float>, _ thread: Int) {
        for index in batch.indices(ofRow: row) {
            let draw = batch.draws[index]
            let place = index - draws.lowerBound
            let choice = choices.pointer + (thread * draws.count + place)
            guard let sum = batch.choosers[draw.chooser].sample(draw, block, logits, &choice.pointee) else {
                batch.fail(index)
                return
            }
            // The same for every draw from the row: they belong to one group.
            sums.pointer[(row - rows.lowerBound) * blocks + block] = sum
            if let claimed = draw.claimed, Int(claimed) / VocabularyBlock.size == block {
                claimedLogits.pointer[place] = logits[Int(claimed) % VocabularyBlock.size]
            }
        }
    }

    /// The token of a draw, once every block of its row has been read.
    func finish(_ index: Int) {
        let draw = batch.draws[index]
        let place = index - draws.lowerBound
        var choice = TokenChoice()
        for thread in 0..<threads { choice.merge(choices.pointer[thread * draws.count + place]) }
        batch.set(
            index,
            batch.choosers[draw.chooser].result(
                of: choice, draw,
                draw.claimed.map { _ in .init(logit: claimedLogits.pointer[place]) },
                UnsafeBufferPointer(start: sums.pointer + (draw.row - rows.lowerBound) * blocks, count: blocks)))
    }
}
