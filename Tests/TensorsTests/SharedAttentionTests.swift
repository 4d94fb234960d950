import CKernels
import Testing

@testable import Tensors

/// P1 of attention over several sequences at once: what they share, and who keeps them company, changes no bit.
@Suite struct SharedAttentionTests {
    @Test(arguments: everyRow.map(\.row)) func companyDoesNotMatter(_ row: KernelRow) throws {
        let reference = try scalarRow()
        let kernels = try Kernels(unverified: row)
        var inputs = Inputs(seed: 51)
        for round in 0..<24 {
            let problem = SharedAttentionProblem(&inputs, kind: round % 6 == 5 ? .logits : .plain)
            let expected = problem.solve(reference, apart: true)
            #expect(problem.solve(kernels, apart: true) == expected, "apart: \(problem)")
            #expect(problem.solve(kernels, apart: false) == expected, "together: \(problem)")
            #expect(problem.solve(kernels, apart: false, sharedPages: 0) == expected, "as strangers: \(problem)")
        }
    }

    @Test(arguments: everyRow.map(\.row)) func longTextsAreCutIntoBlocks(_ row: KernelRow) throws {
        // So long that few query vectors work together, and that keys and values pass in several blocks.
        let positions = row == .scalar ? 300 : 3000
        let problem = AttentionProblem(
            heads: 6, keyValueHeads: 2, dimension: 32, positions: positions, kind: .plain, seed: 52)
        let kernels = try Kernels(unverified: row)
        let start = positions - 37
        let expected = problem.solve(try scalarRow(), chunk: 1, from: start)
        for chunk in [37, 11] { #expect(problem.solve(kernels, chunk: chunk, from: start) == expected) }
    }

    @Test func commonPagesEndWhereTheEarlierSegmentBegins() {
        let pages = (0..<4).map { _ in Storage<BFloat16Bits>(count: 1) }
        let one = pages.map { UnsafePointer($0.pointer) }
        var other = one
        other[2] = UnsafePointer(pages[0].pointer)
        one.withUnsafeBufferPointer { one in
            other.withUnsafeBufferPointer { other in
                guard let one = one.baseAddress, let other = other.baseAddress else { return }
                func segment(_ pages: UnsafePointer<UnsafePointer<BFloat16Bits>>, _ first: Int) -> AttentionSegment {
                    AttentionSegment(pages: pages, rows: 1, firstPosition: first)
                }
                #expect(segment(one, 50).sharedPages(with: segment(other, 50)) == 2)
                #expect(segment(one, 31).sharedPages(with: segment(other, 50)) == 1)
                #expect(segment(one, 50).sharedPages(with: segment(one, 33)) == 2)
                #expect(segment(one, 50).sharedPages(with: segment(one, 5)) == 0)
            }
        }
    }
}

/// Sequences that continue some common pages, each with its own rows, of random sizes.
private struct SharedAttentionProblem: CustomStringConvertible {
    let shape: AttentionShape
    let layout: KeyValuePageLayout
    let sharedPages: Int
    let description: String
    private let tables: [[UnsafePointer<BFloat16Bits>]]
    private let lengths: [(first: Int, rows: Int)]
    private let query: [BFloat16Bits]
    private let storage: [Storage<BFloat16Bits>]

    init(_ inputs: inout Inputs, kind: Inputs.Kind) {
        let keyValueHeads = inputs.integer(in: 1...2)
        let group = inputs.integer(in: 1...9)
        let dimension = 2 * inputs.integer(in: 1...40)
        let window = inputs.integer(in: 0...2) == 0 ? inputs.integer(in: 1...90) : 0
        shape = AttentionShape(
            heads: group * keyValueHeads, keyValueHeads: keyValueHeads, headDimension: dimension, window: window)
        let layout = KeyValuePageLayout(layers: 1, keyValueHeads: keyValueHeads, headDimension: dimension)
        self.layout = layout
        let shared = inputs.integer(in: 0...5)
        sharedPages = shared
        let isDecoding = inputs.integer(in: 0...1) == 0
        let lengths = (0..<inputs.integer(in: 1...12)).map { _ in
            (
                first: 16 * shared + inputs.integer(in: 0...50), rows: isDecoding ? 1 : inputs.integer(in: 1...20)
            )
        }
        self.lengths = lengths
        var source = inputs
        // What no position has written is as bad as it can be.
        func page(_ count: Int) -> Storage<BFloat16Bits> {
            let page = Storage<BFloat16Bits>(count: layout.elementCount)
            page.buffer.update(repeating: 0x7fff)
            for slot in 0..<count {
                for head in 0..<keyValueHeads {
                    let (key, value) = (source.bfloats(dimension, kind), source.bfloats(dimension, kind))
                    layout.writeKey(key, page: page.pointer, layer: 0, head: head, slot: slot)
                    layout.writeValue(value, page: page.pointer, layer: 0, head: head, slot: slot)
                }
            }
            return page
        }
        let common = (0..<shared).map { _ in page(16) }
        let own = lengths.map { length in
            stride(from: 16 * shared, to: length.first + length.rows, by: 16).map {
                page(min(16, length.first + length.rows - $0))
            }
        }
        storage = common + own.flatMap { $0 }
        tables = own.map { (common + $0).map { UnsafePointer($0.pointer) } }
        query = source.bfloats(lengths.reduce(0) { $0 + $1.rows } * shape.heads * dimension, kind)
        inputs = source
        description =
            "\(shape.heads)/\(keyValueHeads) heads of \(dimension), window \(window), \(shared) pages, \(lengths)"
    }

    /// All rows; `apart`: one sequence at a time.
    func solve(_ kernels: Kernels, apart: Bool, sharedPages: Int? = nil) -> [BFloat16Bits] {
        let width = shape.heads * shape.headDimension
        var out = [BFloat16Bits](repeating: 0, count: query.count)
        let longest = lengths.reduce(0) { max($0, $1.first + $1.rows) }
        let scratch = Storage<Float>(count: shape.scratchCount(positions: longest), zeroed: false)
        scratch.buffer.update(repeating: .nan)
        let pointers = tables.map { table in
            let copy = UnsafeMutablePointer<UnsafePointer<BFloat16Bits>>.allocate(capacity: table.count)
            copy.initialize(from: table, count: table.count)
            return copy
        }
        defer { for pointer in pointers { pointer.deallocate() } }
        var row = 0
        let segments = zip(pointers, lengths).map { pages, length in
            defer { row += length.rows }
            return AttentionSegment(pages: pages, rows: length.rows, firstPosition: length.first, firstRow: row)
        }
        let runs = apart ? segments.indices.map { $0..<$0 + 1 } : [0..<segments.count]
        withExtendedLifetime(storage) {
            out.withUnsafeMutableBufferPointer { out in
                segments.withUnsafeBufferPointer { segments in
                    guard let target = out.baseAddress else { return }
                    for run in runs {
                        kernels.attention(
                            UnsafeBufferPointer(rebasing: segments[run]),
                            sharedPages: apart ? 0 : sharedPages ?? self.sharedPages, query: query, stride: width,
                            layout: layout, layer: 0, shape: shape, keyValueHeads: 0..<shape.keyValueHeads,
                            into: target, outStride: width, scratch: scratch.pointer)
                    }
                }
            }
        }
        return out
    }
}
