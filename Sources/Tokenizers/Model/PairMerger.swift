/// Merges the symbols of one word: the pair of lowest rank first, of equal ones the leftmost.
///
/// Short words are searched for the lowest rank again after each merge; long ones keep a heap, so that a word of a million
/// bytes takes a second and not a day.
struct PairMerger {
    /// The symbols of the word, set before ``merge(_:)`` and read after it.
    var symbols: [Int32] = []

    private var values: [UInt64] = []
    private var previous: [Int32] = []
    private var next: [Int32] = []
    private var heap: [UInt64] = []
    private static let longWord = 64

    /// Merges what can be merged.
    mutating func merge(_ merges: MergeTable.View) {
        let count = symbols.count
        guard count > 1 else { return }
        values.removeAll(keepingCapacity: true)
        for index in 1..<count { values.append(merges.value(symbols[index - 1], symbols[index])) }
        if count <= Self.longWord { mergeByScan(merges) } else { mergeByHeap(merges) }
    }

    private mutating func mergeByScan(_ merges: MergeTable.View) {
        let kept = symbols.withUnsafeMutableBufferPointer { symbols in
            values.withUnsafeMutableBufferPointer { values -> Int in
                // values[i] is of the pair (symbols[i], symbols[i + 1]).
                var count = symbols.count
                while count > 1 {
                    var best = MergeTable.none
                    var place = 0
                    for index in 0..<count - 1 where values[index] < best {
                        best = values[index]
                        place = index
                    }
                    guard best != MergeTable.none else { break }
                    symbols[place] = Int32(truncatingIfNeeded: best)
                    count -= 1
                    var index = place + 1
                    while index < count {
                        symbols[index] = symbols[index + 1]
                        values[index - 1] = values[index]
                        index += 1
                    }
                    if place > 0 { values[place - 1] = merges.value(symbols[place - 1], symbols[place]) }
                    if place + 1 < count { values[place] = merges.value(symbols[place], symbols[place + 1]) }
                }
                return count
            }
        }
        symbols.removeLast(symbols.count - kept)
    }

    private mutating func mergeByHeap(_ merges: MergeTable.View) {
        let count = symbols.count
        values.append(MergeTable.none)
        previous = (0..<Int32(count)).map { $0 - 1 }
        next = (1...Int32(count)).map { $0 }
        // An entry is a rank and a place; it is stale unless the pair at the place still has the rank.
        heap.removeAll(keepingCapacity: true)
        for place in 0..<count where values[place] != MergeTable.none { heap.append(Self.entry(values[place], place)) }
        for root in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(root) }
        while let top = heap.first {
            let place = Int(top & 0xFFFF_FFFF)
            let value = values[place]
            guard value != MergeTable.none, value >> 32 == top >> 32 else {
                popHeap()
                continue
            }
            let right = Int(next[place])
            let after = Int(next[right])
            symbols[place] = Int32(truncatingIfNeeded: value)
            values[right] = MergeTable.none
            symbols[right] = -1
            next[place] = Int32(after)
            if after < count { previous[after] = Int32(place) }
            popHeap()
            update(place, after < count ? merges.value(symbols[place], symbols[after]) : MergeTable.none)
            if previous[place] >= 0 {
                let before = Int(previous[place])
                update(before, merges.value(symbols[before], symbols[place]))
            }
        }
        symbols.removeAll { $0 < 0 }
    }

    private mutating func update(_ place: Int, _ value: UInt64) {
        values[place] = value
        guard value != MergeTable.none else { return }
        heap.append(Self.entry(value, place))
        siftUp(heap.count - 1)
    }

    private static func entry(_ value: UInt64, _ place: Int) -> UInt64 { value & ~0xFFFF_FFFF | UInt64(place) }

    private mutating func popHeap() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        siftDown(0)
    }

    private mutating func siftDown(_ root: Int) {
        heap.withUnsafeMutableBufferPointer { heap in
            let entry = heap[root]
            var place = root
            while true {
                var child = place * 2 + 1
                guard child < heap.count else { break }
                if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
                guard heap[child] < entry else { break }
                heap[place] = heap[child]
                place = child
            }
            heap[place] = entry
        }
    }

    private mutating func siftUp(_ leaf: Int) {
        heap.withUnsafeMutableBufferPointer { heap in
            let entry = heap[leaf]
            var place = leaf
            while place > 0, heap[(place - 1) / 2] > entry {
                heap[place] = heap[(place - 1) / 2]
                place = (place - 1) / 2
            }
            heap[place] = entry
        }
    }
}
