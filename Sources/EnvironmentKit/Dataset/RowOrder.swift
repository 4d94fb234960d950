/// An order of the rows for each epoch in which every row comes once, computed for any place without a table.
///
/// A Feistel network of four rounds over the smallest even number of bits that holds every index, walked until the
/// result is an index (Black and Rogaway 2002): a permutation by construction, the same on every machine.
struct RowOrder {
    let count: UInt64
    private let halfBits: UInt64
    private let keys: [UInt64]

    init(count: Int, seed: UInt64, epoch: UInt64) {
        self.count = UInt64(max(1, count))
        let bits = UInt64(64 - (self.count - 1).leadingZeroBitCount)
        halfBits = max(1, (bits + 1) / 2)
        var random = SplitMix64(stream: seed, epoch, 0x524F_5753)
        keys = (0..<4).map { _ in random.next() }
    }

    /// The row at a place below `count`.
    func row(at place: UInt64) -> UInt64 {
        var value = place % count
        repeat { value = round(value) } while value >= count
        return value
    }

    private func round(_ value: UInt64) -> UInt64 {
        let mask = (UInt64(1) << halfBits) - 1
        var (left, right) = (value >> halfBits, value & mask)
        for key in keys {
            var random = SplitMix64(seed: right ^ key)
            (left, right) = (right, left ^ (random.next() & mask))
        }
        return left << halfBits | right
    }
}
