import Synchronization
import Tensors

/// The draws of one pass, found by row, and what came of them.
///
/// Threads write to different elements of plain memory; nothing here is resized while they run.
final class DrawBatch {
    let draws: [TokenDraw]
    let choosers: [TokenChooser]
    let rowCount: Int
    /// Where the draws of each row begin, and their number at the end.
    private let firstDraws: [Int]
    private let tokens: Storage<ChosenToken>
    private let failure = Mutex<Int?>(nil)

    init(_ draws: [TokenDraw], _ choosers: [TokenChooser]) {
        self.draws = draws
        self.choosers = choosers
        rowCount = draws.last.map { $0.row + 1 } ?? 0
        var firstDraws: [Int] = []
        firstDraws.reserveCapacity(rowCount + 1)
        for (index, draw) in draws.enumerated() {
            precondition(draw.row >= firstDraws.count - 1, "draws ascend by row")
            let size = choosers[draw.chooser].vocabularySize
            precondition(draw.claimed.map { $0 >= 0 && Int($0) < size } ?? true, "a claimed token exists")
            while firstDraws.count <= draw.row { firstDraws.append(index) }
        }
        firstDraws.append(draws.count)
        self.firstDraws = firstDraws
        tokens = Storage(count: draws.count, zeroed: false)
    }

    /// The draws from one row.
    func indices(ofRow row: Int) -> Range<Int> {
        firstDraws[row]..<firstDraws[row + 1]
    }

    /// Draws all tokens of a row from its logits.
    func draw(fromRow row: Int, _ logits: UnsafePointer<Float>) {
        for index in indices(ofRow: row) {
            do throws(SamplingError) {
                set(index, try choosers[draws[index].chooser].draw(draws[index], from: logits))
            } catch {
                fail(index)
            }
        }
    }

    func set(_ index: Int, _ token: ChosenToken) {
        (tokens.pointer + index).initialize(to: token)
    }

    /// Notes a draw whose logits are not finite.
    func fail(_ index: Int) {
        failure.withLock { $0 = min($0 ?? index, index) }
    }

    func finish() throws(SamplingError) -> [ChosenToken] {
        if let failed = failure.withLock({ $0 }) { throw .nonFiniteLogits(position: draws[failed].position) }
        return Array(tokens.buffer)
    }
}
