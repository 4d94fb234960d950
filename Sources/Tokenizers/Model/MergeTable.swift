/// Which pairs of ids merge, in which order, and into what.
///
/// A table with open addressing. A key is the pair in 64 bits, a value the rank and the new id, so that comparing values
/// compares ranks. Its hash is seeded for each process, because the pairs come from files of strangers.
struct MergeTable: Sendable {
    /// What a pair that does not merge has for a value: more than any other.
    static let none = UInt64.max

    private var entries: [(key: UInt64, value: UInt64)]
    private var shift: UInt64
    private(set) var count = 0
    private static let vacant = UInt64.max
    private static let multiplier = UInt64.random(in: 1 << 60 ... .max) | 1

    /// An empty table with room for a number of merges.
    init(capacity: Int = 16) {
        var bits: UInt64 = 6
        while 1 << bits < capacity * 2 { bits += 1 }
        entries = Array(repeating: (Self.vacant, Self.none), count: 1 << bits)
        shift = 64 - bits
    }

    /// Sets what a pair merges into; of two merges of one pair the later stays, as in the package.
    mutating func set(_ left: Int32, _ right: Int32, rank: Int, result: Int32) {
        if (count + 1) * 2 > entries.count { grow() }
        put(Self.key(left, right), UInt64(rank) << 32 | UInt64(UInt32(bitPattern: result)))
    }

    private mutating func put(_ key: UInt64, _ value: UInt64) {
        var slot = start(key)
        while entries[slot].key != Self.vacant, entries[slot].key != key { slot = (slot + 1) & (entries.count - 1) }
        if entries[slot].key == Self.vacant { count += 1 }
        entries[slot] = (key, value)
    }

    private mutating func grow() {
        let old = entries
        entries = Array(repeating: (Self.vacant, Self.none), count: old.count * 2)
        shift -= 1
        count = 0
        for entry in old where entry.key != Self.vacant { put(entry.key, entry.value) }
    }

    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    private func start(_ key: UInt64) -> Int { Int((key &* Self.multiplier) >> shift) }

    /// Calls `body` with a view for many lookups.
    func withView<Result>(_ body: (View) -> Result) -> Result {
        entries.withUnsafeBufferPointer { body(View(entries: $0, shift: shift, multiplier: Self.multiplier)) }
    }

    /// Calls `body` with every merge: left, right, rank and result.
    func forEach(_ body: (Int32, Int32, Int, Int32) -> Void) {
        for entry in entries where entry.key != Self.vacant {
            body(
                Int32(truncatingIfNeeded: entry.key >> 32), Int32(truncatingIfNeeded: entry.key),
                Int(entry.value >> 32), Int32(truncatingIfNeeded: entry.value))
        }
    }

    /// The table while its memory is held.
    struct View {
        fileprivate let entries: UnsafeBufferPointer<(key: UInt64, value: UInt64)>
        fileprivate let shift: UInt64
        fileprivate let multiplier: UInt64

        /// The rank and the new id of a pair, or ``MergeTable/none``.
        @inline(__always)
        func value(_ left: Int32, _ right: Int32) -> UInt64 {
            let key = MergeTable.key(left, right)
            var slot = Int((key &* multiplier) >> shift)
            while true {
                let entry = entries[slot]
                if entry.key == key { return entry.value }
                if entry.key == MergeTable.vacant { return MergeTable.none }
                slot = (slot + 1) & (entries.count - 1)
            }
        }
    }
}
