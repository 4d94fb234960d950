import Tensors

/// The hidden rows of a sample's current chunk; holds nothing where no evidence is collected, or before the first row.
///
/// Room grows with the rows: a group of thousands of samples must not cost a chunk for each that has one token.
struct ChunkRows {
    private let width: Int
    private let capacity: Int
    private let isCollecting: Bool
    private var storage: Storage<BFloat16Bits>?
    private(set) var count = 0

    /// Room for `capacity` rows of `width` values, or for none where `isCollecting` is false.
    init(capacity: Int, width: Int, isCollecting: Bool) {
        self.width = width
        self.capacity = capacity
        self.isCollecting = isCollecting
    }

    var isFull: Bool { count == capacity }
    var isEmpty: Bool { count == 0 }

    /// The rows so far, one after another.
    var values: UnsafeBufferPointer<BFloat16Bits> {
        UnsafeBufferPointer(start: storage?.pointer, count: count * width)
    }

    mutating func append(_ row: UnsafePointer<BFloat16Bits>) {
        guard isCollecting else { return }
        precondition(count < capacity, "a chunk is proved before the next row comes")
        let storage = storage(for: count + 1)
        (storage.pointer + count * width).update(from: row, count: width)
        count += 1
    }

    private mutating func storage(for rows: Int) -> Storage<BFloat16Bits> {
        if let storage, storage.count >= rows * width { return storage }
        let grown = Storage<BFloat16Bits>(count: min(capacity, 4 * rows) * width, zeroed: false)
        if let storage { grown.pointer.update(from: storage.pointer, count: count * width) }
        storage = grown
        return grown
    }

    mutating func removeAll() {
        count = 0
    }
}
