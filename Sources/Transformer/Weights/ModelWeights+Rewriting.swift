import Synchronization
import Tensors

/// Writing weights in blocks of rows, so that no matrix ever stands row-major in memory as a whole.
extension ModelWeights {
    /// Elements of one block; a row that is longer is a block of its own.
    static let blockElements = 1 << 18

    /// Lets `body` give new values to tensors of this object, which nobody may read meanwhile.
    ///
    /// - Parameters:
    ///   - slices: what is written; other tensors keep their values.
    ///   - pool: threads that call `body`, several at once.
    ///   - body: writes the given elements of a tensor, row-major, to the block.
    /// - Throws: `ModelError` when a weight is not finite, and what `body` throws; the weights must not be used then.
    func rewrite(
        _ slices: [TensorSlice], pool: ComputePool,
        _ body: (_ slice: TensorSlice, _ elements: Range<Int>, _ block: UnsafeMutablePointer<BFloat16Bits>) throws ->
            Void
    ) throws {
        knownHash.withLock { $0 = nil }
        let failure = Mutex<(any Error)?>(nil)
        let tasks = slices.flatMap { slice in Self.blocks(of: slice).map { (slice: slice, elements: $0) } }
        let largest = tasks.reduce(0) { max($0, $1.elements.count) }
        // One for each thread: a new block for each task would be new pages, which the system clears.
        let blocks = (0..<pool.threads).map { _ in Storage<BFloat16Bits>(count: largest, zeroed: false) }
        pool.run(tasks.count) { task, thread in
            guard failure.withLock({ $0 == nil }) else { return }
            let (slice, elements) = tasks[task]
            do {
                try body(slice, elements, blocks[thread].pointer)
                try store(blocks[thread].pointer, as: elements, of: slice)
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
        widenBiases()
    }

    /// Ranges of whole rows, or of elements of a vector.
    static func blocks(of slice: TensorSlice) -> [Range<Int>] {
        let width = slice.isVector ? 1 : slice.shape[1]
        // Panels of 48 rows belong to one thread where tensors begin on a panel.
        let rows = max(1, blockElements / (width * PackedMatrix.panelWidth)) * PackedMatrix.panelWidth
        return stride(from: 0, to: slice.count, by: rows * width).map { $0..<min($0 + rows * width, slice.count) }
    }

    /// Takes in elements as ``blocks(of:)`` divides them.
    ///
    /// - Throws: `ModelError` for a value that is not finite.
    func store(
        _ block: UnsafeMutablePointer<BFloat16Bits>, as elements: Range<Int>, of slice: TensorSlice
    ) throws(ModelError) {
        guard Kernels.isFinite(block, count: elements.count) else { throw .notFinite(slice.name) }
        switch panels.place(of: slice) {
        case .vector(let offset):
            PackedMatrix.flushDenormals(block, count: elements.count)
            (memory.pointer + offset + elements.lowerBound).update(from: block, count: elements.count)
        case .rows(let matrix, let row):
            let width = slice.shape[1]
            matrices[matrix].pack(block, rows: elements.count / width, at: row + elements.lowerBound / width)
        }
    }
}
