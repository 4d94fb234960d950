import CKernels
import Testing

@testable import Tensors

@Suite struct LayoutTests {
    @Test func roundingIsToNearestEven() {
        let cases: [(UInt32, BFloat16Bits)] = [
            (0x3f80_0000, 0x3f80), (0x3f80_8000, 0x3f80), (0x3f80_8001, 0x3f81), (0x3f81_8000, 0x3f82),
            (0x3f80_7fff, 0x3f80), (0x7f7f_ffff, 0x7f80), (0x7f80_0000, 0x7f80), (0xff80_0000, 0xff80),
            (0x8000_0000, 0x8000), (0x0000_0001, 0x0000), (0x807f_ffff, 0x8000), (0x0080_0000, 0x0080),
            (0x7f80_0001, 0x7fc0), (0xffff_ffff, 0xffff),
        ]
        for kernels in everyRow {
            for (bits, expected) in cases {
                var out: BFloat16Bits = 0
                kernels.roundToBFloat16([Float(bitPattern: bits)], into: &out, count: 1)
                #expect(out == expected, "\(String(bits, radix: 16)) on \(kernels.row)")
            }
        }
    }

    @Test func packingKeepsEveryElement() {
        var inputs = Inputs(seed: 41)
        for (rows, columns) in [(1, 1), (48, 2), (49, 7), (130, 33)] {
            let source = inputs.bfloats(rows * columns, .plain)
            let packed = PackedMatrix(source, rows: rows, columns: columns)
            for row in 0..<rows {
                for column in 0..<columns { #expect(packed[row, column] == source[row * columns + column]) }
            }
            #expect(packed.panelCount == (rows + 47) / 48)
        }
        let tiny = PackedMatrix([0x0001, 0x807f, 0x0080, 0x8000], rows: 1, columns: 4)
        #expect((0..<4).map { tiny[0, $0] } == [0, 0x8000, 0x0080, 0x8000])
    }

    @Test func repackingReplacesTheRowsGiven() {
        let matrix = PackedMatrix(rows: 60, columns: 4)
        matrix.pack([1, 2, 3, 4].map { UInt16($0) << 8 }, rows: 1, at: 50)
        #expect(matrix[50, 3] == 0x0400 && matrix[49, 3] == 0 && matrix[51, 0] == 0)
    }

    @Test func pagesKeepKeysAndValuesApart() {
        let layout = KeyValuePageLayout(layers: 2, keyValueHeads: 3, headDimension: 6)
        let page = Storage<BFloat16Bits>(count: layout.elementCount)
        var inputs = Inputs(seed: 42)
        var rows: [[BFloat16Bits]] = []
        for layer in 0..<2 {
            for head in 0..<3 {
                for slot in 0..<16 {
                    let key = inputs.bfloats(6, .plain)
                    let value = inputs.bfloats(6, .plain)
                    layout.writeKey(key, page: page.pointer, layer: layer, head: head, slot: slot)
                    layout.writeValue(value, page: page.pointer, layer: layer, head: head, slot: slot)
                    rows += [key, value]
                }
            }
        }
        var index = 0
        var row = [BFloat16Bits](repeating: 0, count: 6)
        for layer in 0..<2 {
            for head in 0..<3 {
                for slot in 0..<16 {
                    layout.readKey(into: &row, page: page.pointer, layer: layer, head: head, slot: slot)
                    #expect(row == rows[index])
                    layout.readValue(into: &row, page: page.pointer, layer: layer, head: head, slot: slot)
                    #expect(row == rows[index + 1])
                    index += 2
                }
            }
        }
        #expect(KeyValuePageLayout.pages(for: 0) == 0 && KeyValuePageLayout.pages(for: 17) == 2)
    }

    @Test func nonFiniteValuesAreFound() {
        #expect(Kernels.isFinite([0, 1, -.greatestFiniteMagnitude] as [Float], count: 3))
        #expect(!Kernels.isFinite([0, .nan] as [Float], count: 2))
        #expect(!Kernels.isFinite([-.infinity] as [Float], count: 1))
        #expect(Kernels.isFinite([0x7f7f, 0x8000] as [BFloat16Bits], count: 2))
        #expect(!Kernels.isFinite([0x7f7f, 0x7f80] as [BFloat16Bits], count: 2))
        #expect(!Kernels.isFinite([0xffc0] as [BFloat16Bits], count: 1))
    }

    @Test func embeddingLooksUpRows() {
        var inputs = Inputs(seed: 43)
        let table = inputs.bfloats(5 * 19, .plain)
        for kernels in everyRow {
            var out = [Float](repeating: 0, count: 3 * 19)
            kernels.embed(table: table, width: 19, tokens: [4, 0, 4], count: 3, into: &out)
            #expect(out[0] == ck_widen(table[4 * 19]) && out[19] == ck_widen(table[0]) && out[56] == out[18])
        }
    }

    @Test func storageIsAlignedAndZeroed() {
        for count in [0, 1, 17, 1000] {
            let storage = Storage<Float>(count: count)
            #expect(UInt(bitPattern: storage.pointer) % 64 == 0)
            #expect(storage.buffer.allSatisfy { $0 == 0 })
        }
        let copy = Storage([1, 2, 3] as [Int32])
        #expect(copy[2] == 3 && copy.count == 3)
    }
}
