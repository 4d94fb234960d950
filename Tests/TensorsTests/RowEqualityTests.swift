import CKernels
import Testing

@testable import Tensors

/// P2: every row gives the bits of the scalar row, on random, extreme and odd-shaped inputs.
@Suite struct RowEqualityTests {
    @Test(arguments: everyRow.map(\.row)) func elementwiseOperations(_ row: KernelRow) throws {
        let reference = try scalarRow()
        let kernels = try Kernels(unverified: row)
        var inputs = Inputs(seed: 1)
        for kind in Inputs.Kind.allCases {
            for count in [1, 3, 15, 16, 17, 31, 64, 100] {
                let x = inputs.floats(count, kind)
                let y = inputs.floats(count, kind)
                func both<T: Equatable>(_ operation: (Kernels) -> T) -> Bool {
                    operation(kernels) == operation(reference)
                }
                #expect(both { round($0, x) }, "round \(kind) \(count)")
                #expect(both { bits(add($0, x, y)) }, "add \(kind) \(count)")
                #expect(both { bits(exponentials($0, x)) }, "exp \(kind) \(count)")
                #expect(both { bits(logarithms($0, x.map(abs))) }, "log \(kind) \(count)")
                #expect(both { swiGLU($0, x, y) }, "swiglu \(kind) \(count)")
                #expect(both { norm($0, x, round($0, y)) }, "rms norm \(kind) \(count)")
                let half = inputs.bfloats(count, kind)
                #expect(both { bits(widen($0, half)) }, "widen \(kind) \(count)")
            }
        }
    }

    @Test(arguments: everyRow.map(\.row)) func matrixProducts(_ row: KernelRow) throws {
        let reference = try scalarRow()
        let kernels = try Kernels(unverified: row)
        var inputs = Inputs(seed: 2)
        for kind in Inputs.Kind.allCases {
            for extras in [false, true] {
                for rows in 1...9 {
                    let k = inputs.integer(in: 1...75)
                    let n = inputs.integer(in: 1...200)
                    let problem = MatmulProblem(
                        rows: rows, k: k, n: n, kind: kind, extras: extras, seed: UInt64(inputs.word()))
                    #expect(bits(problem.solve(kernels)) == bits(problem.solve(reference)), "\(kind) \(rows)x\(k)x\(n)")
                }
            }
        }
    }

    @Test(arguments: everyRow.map(\.row)) func attention(_ row: KernelRow) throws {
        let reference = try scalarRow()
        let kernels = try Kernels(unverified: row)
        for (index, kind) in [Inputs.Kind.plain, .logits, .small, .denormal].enumerated() {
            for (heads, keyValueHeads, dimension, window, positions) in [
                (4, 2, 16, 0, 21), (3, 1, 64, 0, 35), (5, 1, 80, 7, 20), (1, 1, 34, 0, 17), (12, 1, 6, 3, 5),
                (14, 2, 16, 33, 70), (24, 1, 8, 16, 49), (2, 2, 18, 1, 34),
            ] {
                let problem = AttentionProblem(
                    heads: heads, keyValueHeads: keyValueHeads, dimension: dimension, window: window,
                    positions: positions, kind: kind, seed: UInt64(index))
                #expect(problem.solve(kernels) == problem.solve(reference), "\(kind) \(heads) heads of \(dimension)")
            }
        }
    }

    @Test(arguments: everyRow.map(\.row)) func rotation(_ row: KernelRow) throws {
        let reference = try scalarRow()
        let kernels = try Kernels(unverified: row)
        var inputs = Inputs(seed: 4)
        for kind in Inputs.Kind.allCases {
            for dimension in [2, 16, 34, 64, 128] {
                let table = RotaryTable(headDimension: dimension, base: 1e4)
                let x = inputs.floats(3 * 2 * dimension, kind)
                let weight = inputs.bfloats(dimension, .plain)
                #expect(rotate(kernels, x, table, nil) == rotate(reference, x, table, nil), "\(kind) \(dimension)")
                #expect(
                    rotate(kernels, x, table, weight) == rotate(reference, x, table, weight), "\(kind) \(dimension)")
            }
        }
    }

    @Test(arguments: everyRow.map(\.row)) func vocabulary(_ row: KernelRow) throws {
        let reference = try scalarRow()
        let kernels = try Kernels(unverified: row)
        var inputs = Inputs(seed: 5)
        for kind in [Inputs.Kind.plain, .logits, .small, .denormal] {
            for count in [1, 2, 16, 127, 128, 2048, 2049, 5000] {
                let logits = inputs.floats(count, kind)
                for temperature: Float in [0, 0.35, 1, 1.7] {
                    let one = kernels.vocabularySum(logits, count: count, temperature: temperature)
                    let other = reference.vocabularySum(logits, count: count, temperature: temperature)
                    #expect(one == other && one.maximum.sign == other.maximum.sign, "\(kind) \(count)")
                    let noise = inputs.noise()
                    #expect(
                        kernels.gumbelArgmax(
                            logits, count: count, temperature: temperature, noise: noise, position: 7)
                            == reference.gumbelArgmax(
                                logits, count: count, temperature: temperature, noise: noise, position: 7),
                        "\(kind) \(count)")
                }
            }
        }
    }

    /// A NaN must come out wherever one arises, or a broken model would look healthy on one machine and not on another.
    @Test(arguments: everyRow.map(\.row)) func nonFiniteValuesSurvive(_ row: KernelRow) throws {
        let kernels = try Kernels(unverified: row)
        #expect(exponentials(kernels, [1, .nan, 2])[1].isNaN)
        for bad: Float in [.nan, .infinity, -.infinity] {
            var x = [Float](repeating: 0.5, count: 40)
            x[21] = bad
            let weight = round(kernels, x.map { _ in 1 })
            #expect(!Kernels.isFinite(norm(kernels, x, weight), count: 40))
            #expect(!Kernels.isFinite(swiGLU(kernels, x, x), count: 40))
        }
        // Scores that overflow: huge keys against huge queries.
        let problem = AttentionProblem(
            heads: 2, keyValueHeads: 1, dimension: 16, positions: 20, kind: .plain, seed: 9)
        let huge = [BFloat16Bits](repeating: 0x7f00, count: 16)
        problem.layout.writeKey(huge, page: problem.pages[0].pointer, layer: 1, head: 0, slot: 3)
        let out = problem.solve(kernels, queries: [BFloat16Bits](repeating: 0x7f00, count: problem.query.count))
        #expect(!Kernels.isFinite(Array(out[10 * 32..<11 * 32]), count: 32))
    }

    // MARK: - One call each

    private func round(_ kernels: Kernels, _ x: [Float]) -> [BFloat16Bits] {
        var y = [BFloat16Bits](repeating: 0, count: x.count)
        kernels.roundToBFloat16(x, into: &y, count: x.count)
        return y
    }

    private func widen(_ kernels: Kernels, _ x: [BFloat16Bits]) -> [Float] {
        var y = [Float](repeating: 0, count: x.count)
        kernels.widen(x, into: &y, count: x.count)
        return y
    }

    private func add(_ kernels: Kernels, _ x: [Float], _ y: [Float]) -> [Float] {
        var x = x
        kernels.addResidual(y, to: &x, count: x.count)
        return x
    }

    private func exponentials(_ kernels: Kernels, _ x: [Float]) -> [Float] {
        var y = x
        kernels.exp(x, into: &y, count: x.count)
        return y
    }

    private func logarithms(_ kernels: Kernels, _ x: [Float]) -> [Float] {
        var y = x
        kernels.log(x, into: &y, count: x.count)
        return y
    }

    private func swiGLU(_ kernels: Kernels, _ gate: [Float], _ up: [Float]) -> [BFloat16Bits] {
        var y = [BFloat16Bits](repeating: 0, count: gate.count)
        kernels.swiGLU(
            gate: gate, up: up, stride: gate.count, rows: 1, width: gate.count, into: &y, targetStride: gate.count)
        return y
    }

    private func norm(_ kernels: Kernels, _ x: [Float], _ weight: [BFloat16Bits]) -> [BFloat16Bits] {
        var y = [BFloat16Bits](repeating: 0, count: x.count)
        kernels.rmsNorm(
            x, stride: x.count, weight: weight, epsilon: 1e-6, rows: 1, width: x.count, into: &y, targetStride: x.count)
        return y
    }

    private func rotate(
        _ kernels: Kernels, _ x: [Float], _ table: RotaryTable, _ weight: [BFloat16Bits]?
    ) -> [BFloat16Bits] {
        let width = 2 * table.halfDimension * 2
        var y = [BFloat16Bits](repeating: 0, count: x.count)
        let positions: [Int32] = [5, 0, 1999]
        func run(_ norm: (weight: UnsafePointer<BFloat16Bits>, epsilon: Float)?) {
            kernels.rope(
                x, stride: width, rows: 3, heads: 2, norm: norm, positions: positions, table: table, into: &y,
                targetStride: width)
        }
        guard let weight else {
            run(nil)
            return y
        }
        weight.withUnsafeBufferPointer { buffer in
            if let start = buffer.baseAddress { run((start, 1e-6)) }
        }
        return y
    }
}
