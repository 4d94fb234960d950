import Testing

@testable import Proofs

@Suite struct TopRowsTests {
    /// The rule as written: magnitude descending, then index ascending.
    private func sorted(_ bits: [UInt16], _ k: Int) -> [UInt32] {
        bits.indices.sorted {
            let (a, b) = (bits[$0] & 0x7FFF, bits[$1] & 0x7FFF)
            return a != b ? a > b : $0 < $1
        }.prefix(k).map { UInt32($0) }.sorted()
    }

    @Test func selectionEqualsSorting() {
        var generator = SplitMix64(state: 11)
        for round in 0..<300 {
            let count = generator.below(400)
            let k = generator.below(200)
            // Few distinct values make ties; every third round takes any 16 bits, NaN and infinities included.
            let bits = (0..<count).map { _ in
                round % 3 == 0 ? UInt16(truncatingIfNeeded: generator.next()) : generator.pattern() & 0x87F0
            }
            let top = bits.withUnsafeBufferPointer { TopRows(of: $0, count: k) }
            #expect(top.indices == sorted(bits, k))
            #expect(top.bits == top.indices.map { bits[Int($0)] })
        }
    }

    /// Sizes at which columns are sieved first, with many and few ties, all equal, all zero, and a ramp.
    @Test func sievedSelectionEqualsSorting() {
        var generator = SplitMix64(state: 12)
        for count in [8192, 8193, 18_432, 32_768, 65_536, 66_001] {
            for kind in 0..<6 {
                let bits = (0..<count).map { position -> UInt16 in
                    switch kind {
                    case 0: generator.pattern()
                    case 1: UInt16(truncatingIfNeeded: generator.next())
                    case 2: generator.pattern() & 0x87F0
                    case 3: 0xBF80
                    case 4: position == count - 1 ? 0x8001 : 0
                    default: UInt16(truncatingIfNeeded: position) & 0x7FFF
                    }
                }
                for k in [1, 128, 256, 300] {
                    let top = bits.withUnsafeBufferPointer { TopRows(of: $0, count: k) }
                    #expect(top.indices == sorted(bits, k), "\(count) values, kind \(kind), k \(k)")
                    #expect(top.bits == top.indices.map { bits[Int($0)] })
                }
            }
        }
    }

    @Test func tiesGoToTheLowestIndex() {
        let bits: [UInt16] = [0x3F80, 0xBF80, 0x3F80, 0x4000, 0x3F80]
        let top = bits.withUnsafeBufferPointer { TopRows(of: $0, count: 3) }
        #expect(top.indices == [0, 1, 3])
        #expect(top.bits == [0x3F80, 0xBF80, 0x4000])
    }

    @Test func nothingFromNothing() {
        let none = [UInt16]().withUnsafeBufferPointer { TopRows(of: $0, count: 128) }
        #expect(none.indices.isEmpty && none.bits.isEmpty)
        let zero = [1 as UInt16].withUnsafeBufferPointer { TopRows(of: $0, count: 0) }
        #expect(zero.indices.isEmpty)
    }

    @Test func foreignRowsMustAscend() {
        #expect(TopRows(indices: [1, 2], bits: [1, 2]) != nil)
        #expect(TopRows(indices: [2, 1], bits: [1, 2]) == nil)
        #expect(TopRows(indices: [1, 1], bits: [1, 2]) == nil)
        #expect(TopRows(indices: [1], bits: []) == nil)
    }

    @Test func chunksCutFromTheFirstRow() {
        let chunking = Chunking.standard
        #expect([0, 1, 31, 32, 33, 64, 65].map(chunking.count(forRows:)) == [0, 1, 1, 1, 2, 2, 3])
        #expect(chunking.range(ofChunk: 1, rows: 40) == 32..<40)
        #expect(chunking.points(inChunk: 0, rows: 1, hidden: 64) == 64)
        #expect(chunking.points(inChunk: 0, rows: 2, hidden: 64) == 128)
        #expect(throws: ToplocError.self) { try topRows(of: [1, 2, 3], hidden: 2) }
        #expect(throws: ToplocError.self) { try topRows(of: [], hidden: 0) }
        #expect(throws: ToplocError.self) { try topRows(of: [], hidden: Int.max) }
    }
}
