import Testing

@testable import Tensors

/// P1: a row's bits do not depend on the batch, its place in it, threads, chunks or pages.
@Suite struct RowIndependenceTests {
    @Test(arguments: everyRow.map(\.row)) func batchSizeDoesNotMatter(_ row: KernelRow) throws {
        let kernels = try Kernels(unverified: row)
        let problem = MatmulProblem(rows: 64, k: 66, n: 110, kind: .plain, extras: true, seed: 11)
        let whole = bits(problem.solve(kernels))
        for step in [1, 2, 3, 4, 5, 6, 7, 9, 13] {
            #expect(bits(problem.solve(kernels, step: step)) == whole, "rows in pieces of \(step)")
        }
    }

    @Test(arguments: everyRow.map(\.row), [1, 2, 3]) func threadsDoNotMatter(_ row: KernelRow, _ threads: Int) throws {
        let kernels = try Kernels(unverified: row)
        let rows = row == .scalar ? 65 : 401
        let problem = MatmulProblem(rows: rows, k: 128, n: 290, kind: .plain, extras: true, seed: 12)
        #expect(bits(problem.solve(kernels, pool: ComputePool(threads: threads))) == bits(problem.solve(kernels)))
    }

    @Test(arguments: everyRow.map(\.row)) func whatIsFetchedDoesNotMatter(_ row: KernelRow) throws {
        let kernels = try Kernels(unverified: row)
        let memory = Storage<BFloat16Bits>(count: 4096)
        for (rows, k) in [(1, 66), (16, 66), (25, 67), (64, 66), (70, 1)] {
            let problem = MatmulProblem(rows: rows, k: k, n: 110, kind: .plain, extras: true, seed: 13)
            let whole = bits(problem.solve(kernels))
            for (blocks, count) in [(0, 64), (1, 4096), (7, 100), (900, 1000)] {
                let places = [UnsafePointer<BFloat16Bits>](repeating: UnsafePointer(memory.pointer), count: blocks)
                places.withUnsafeBufferPointer {
                    let fetched = FetchedBlocks($0, offset: 0, count: count)
                    #expect(bits(problem.solve(kernels, fetching: fetched)) == whole)
                    #expect((0..<3).map { fetched.share($0, of: 3).blocks.count }.reduce(0, +) == blocks)
                }
            }
        }
    }

    @Test func plansCoverEveryElementOnce() {
        let cases = [
            (1, 64, 128, 2), (1, 4096, 5000, 2), (700, 576, 1536, 3), (193, 64, 49152, 8), (193, 9000, 290, 2),
        ]
        for (rows, k, n, threads) in cases {
            let panels = PackedMatrix(rows: n, columns: 1).panelCount
            let plan = MatmulPlan(rows: rows, panels: panels, columns: k, threads: threads)
            var covered = [Int](repeating: 0, count: rows * plan.panels)
            for task in 0..<plan.tasks {
                let part = plan.part(task)
                for row in part.rows {
                    for panel in part.panels { covered[row * plan.panels + panel] += 1 }
                }
            }
            #expect(covered.allSatisfy { $0 == 1 }, "\(rows) x \(k) x \(n) on \(threads)")
        }
    }

    @Test(arguments: everyRow.map(\.row)) func decodeEqualsPrefill(_ row: KernelRow) throws {
        let kernels = try Kernels(unverified: row)
        for window in [0, 9] {
            let problem = AttentionProblem(
                heads: 6, keyValueHeads: 2, dimension: 32, window: window, positions: 50, kind: .plain, seed: 13)
            let whole = problem.solve(kernels)
            for chunk in [1, 2, 7, 16, 33] {
                #expect(problem.solve(kernels, chunk: chunk) == whole, "chunks of \(chunk), window \(window)")
            }
        }
    }

    @Test(arguments: everyRow.map(\.row)) func unwrittenSlotsDoNotMatter(_ row: KernelRow) throws {
        let kernels = try Kernels(unverified: row)
        let clean = AttentionProblem(
            heads: 2, keyValueHeads: 1, dimension: 32, positions: 21, kind: .plain, seed: 14)
        let dirty = AttentionProblem(
            heads: 2, keyValueHeads: 1, dimension: 32, positions: 21, kind: .plain, seed: 14, garbage: 0x7fff)
        #expect(clean.solve(kernels) == dirty.solve(kernels))
    }

    @Test func paddedWeightsDoNotMatter() throws {
        // The same matrix alone and as the middle part of a concatenation.
        var inputs = Inputs(seed: 15)
        let (k, n) = (33, 50)
        let parts = (0..<3).map { _ in inputs.bfloats(n * k, .plain) }
        let x = inputs.bfloats(5 * k, .plain)
        let fused = parts[0].withUnsafeBufferPointer { a in
            parts[1].withUnsafeBufferPointer { b in
                parts[2].withUnsafeBufferPointer { c in
                    PackedMatrix(
                        concatenating: [a, b, c].compactMap { part in part.baseAddress.map { ($0, n) } }, columns: k)
                }
            }
        }
        let alone = PackedMatrix(parts[1], rows: n, columns: k)
        for kernels in everyRow {
            var all = [Float](repeating: .nan, count: 5 * 3 * n)
            var one = [Float](repeating: .nan, count: 5 * n)
            kernels.matmul(x, stride: k, rows: 5, by: fused, into: &all, outStride: 3 * n)
            kernels.matmul(x, stride: k, rows: 5, by: alone, into: &one, outStride: n)
            for row in 0..<5 {
                let part = Array(all[(row * 3 + 1) * n..<(row * 3 + 2) * n])
                #expect(bits(part) == bits(Array(one[row * n..<(row + 1) * n])))
            }
        }
    }

    @Test func chunkedVocabularyEqualsWhole() throws {
        var inputs = Inputs(seed: 16)
        let logits = inputs.floats(9000, .logits)
        for kernels in everyRow {
            let whole = kernels.vocabularySum(logits, count: 9000, temperature: 0.8)
            let blocks = stride(from: 0, to: 9000, by: VocabularyBlock.size).map { first in
                let part = Array(logits[first..<min(first + VocabularyBlock.size, 9000)])
                return kernels.vocabularyBlock(part, count: part.count, temperature: 0.8)
            }
            let combined = blocks.withUnsafeBufferPointer { kernels.vocabularySum(combining: $0, temperature: 0.8) }
            #expect(combined == whole)
        }
    }
}
