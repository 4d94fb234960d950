import Testing

@testable import Tensors

@Suite("Rows of packed matrices")
struct UnpackingTests {
    @Test(
        "unpacking is the inverse of packing, from any row on",
        arguments: [(1, 1), (47, 2), (48, 3), (49, 64), (100, 5), (200, 33)])
    func roundTrip(rows: Int, columns: Int) {
        let source = Storage<BFloat16Bits>((0..<rows * columns).map { BFloat16Bits(truncatingIfNeeded: 0x3F80 + $0) })
        let packed = PackedMatrix(source.pointer, rows: rows, columns: columns)
        for first in [0, 1, rows / 2, rows - 1] where first < rows {
            let part = Storage<BFloat16Bits>(count: (rows - first) * columns)
            packed.unpack(first..<rows, into: part.pointer)
            #expect(Array(part.buffer) == Array(source.buffer[(first * columns)...]))
        }
    }

    @Test("a lookup in a packed table has the bits of one in the table itself", arguments: KernelRow.allCases)
    func lookup(row: KernelRow) throws {
        guard let kernels = try? Kernels(unverified: row) else { return }
        for width in [1, 2, 37, 64] {
            let values = (0..<100 * width).map { BFloat16Bits(truncatingIfNeeded: $0 &* 40_503) }
            let table = Storage<BFloat16Bits>(values)
            let packed = PackedMatrix(table.pointer, rows: 100, columns: width)
            let tokens = Storage<Int32>([0, 99, 47, 48, 49, 99])
            let expected = Storage<Float>(count: 6 * width)
            let found = Storage<Float>(count: 6 * width)
            kernels.embed(
                table: table.pointer, width: width, tokens: tokens.pointer, count: 6, into: expected.pointer)
            kernels.embed(table: packed, tokens: tokens.pointer, count: 6, into: found.pointer)
            #expect(found.buffer.map(\.bitPattern) == expected.buffer.map(\.bitPattern))
            withExtendedLifetime((table, tokens)) {}
        }
    }
}
