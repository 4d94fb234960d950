import CKernels
import Foundation
import Testing

@testable import Tensors

/// Rule 13 allows 2 ulp; the limits here are tighter where the functions are better.
@Suite struct AccuracyTests {
    /// The distance in units of the last place of the exact value.
    private func ulps(_ value: Float, _ exact: Double) -> Double {
        abs(Double(value) - exact) / Double(Float(exact).ulp)
    }

    @Test func exponential() {
        var worst = 0.0
        for i in 0..<400_000 {
            let x = Float(-87.33) + Float(i) * Float(175.33 / 400_000)
            worst = max(worst, ulps(Kernels.exp(x), Foundation.exp(Double(x))))
        }
        #expect(worst < 1.5, "worst error \(worst) ulp")
        #expect(Kernels.exp(0) == 1 && Kernels.exp(-0.0) == 1)
        #expect(Kernels.exp(-87.331).bitPattern == 0 && Kernels.exp(-1e30).bitPattern == 0)
        #expect(Kernels.exp(1e30) == Kernels.exp(88) && Kernels.exp(88).isFinite)
        #expect(Kernels.exp(-.infinity).bitPattern == 0)
    }

    @Test func logarithm() {
        var inputs = Inputs(seed: 21)
        var worst = 0.0
        for i in 0..<400_000 {
            let x =
                i % 2 == 0
                ? Float(bitPattern: 0x0080_0000 + inputs.word() % 0x7f00_0000) : 0.4 + Float(i) * Float(2.5e-6)
            worst = max(worst, ulps(Kernels.log(x), Foundation.log(Double(x))))
        }
        #expect(worst < 1.5, "worst error \(worst) ulp")
        #expect(Kernels.log(1).bitPattern == 0)
        #expect(
            Kernels.log(0) == -.infinity && Kernels.log(-1) == -.infinity
                && Kernels.log(Float(bitPattern: 0x0001_1111)) == -.infinity)
    }

    @Test func logarithmNearOne() {
        var inputs = Inputs(seed: 22)
        var worst = 0.0
        for _ in 0..<400_000 {
            let y = -Float(bitPattern: inputs.word() & 0x007f_ffff | UInt32(94 + inputs.integer(in: 0...32)) << 23)
            worst = max(worst, ulps(Kernels.log1p(y), Foundation.log1p(Double(y))))
        }
        #expect(worst < 1.5, "worst error \(worst) ulp")
        #expect(Kernels.log1p(-1) == -.infinity)
    }

    @Test func sineAndCosine() {
        #if arch(x86_64)
            var worst = 0.0
            var inputs = Inputs(seed: 23)
            for i in 0..<200_000 {
                let x = i % 2 == 0 ? Double(Float(i) * 83.7) : Double(inputs.float(.logits))
                var (sine, cosine) = (0.0, 0.0)
                ck_sin_cos64(x, &sine, &cosine)
                let (exactSine, exactCosine) = (sin(Float80(x)), cos(Float80(x)))
                worst = max(worst, Double(abs(Float80(sine) - exactSine) / Float80(Double(exactSine).ulp)))
                worst = max(worst, Double(abs(Float80(cosine) - exactCosine) / Float80(Double(exactCosine).ulp)))
            }
            #expect(worst < 2, "worst error \(worst) ulp of binary64")
        #endif
    }

    @Test func binary64ExponentialAndLogarithm() {
        var worst = 0.0
        for i in 0..<100_000 {
            let x = -30 + Double(i) * 6e-4
            let exact = Foundation.exp(x)
            worst = max(worst, abs(ck_exp64(x) - exact) / exact.ulp)
            let y = 1 + Double(i) * 37.7
            worst = max(worst, abs(ck_log64(y) - Foundation.log(y)) / max(Foundation.log(y).ulp, 1e-300))
        }
        #expect(worst < 3, "worst error \(worst) ulp of binary64")
    }

    @Test func inverseFrequencies() {
        for (base, dimension) in [(1e4, 16), (1e6, 128), (5e5, 64)] {
            let values = RotaryTable.inverseFrequencies(headDimension: dimension, base: base)
            for (i, value) in values.enumerated() {
                let exact = pow(base, -Double(2 * i) / Double(dimension))
                #expect(ulps(value, exact) <= 0.5 + 1e-6)
            }
        }
    }

    /// Linear and llama3 scaling against the published formulas in binary64: one rounding.
    @Test func scaledInverseFrequencies() {
        let (base, dimension, factor, low, high, positions) = (5e5, 128, 8.0, 1.0, 4.0, 8192)
        let linear = RotaryTable.inverseFrequencies(
            headDimension: dimension, base: base, scaling: .linear(factor: factor))
        let llama3 = RotaryTable.inverseFrequencies(
            headDimension: dimension, base: base,
            scaling: .llama3(
                factor: factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalMaxPositions: positions))
        var kinds = [0, 0, 0]
        for i in 0..<dimension / 2 {
            let plain = pow(base, -Double(2 * i) / Double(dimension))
            #expect(ulps(linear[i], plain / factor) <= 0.5 + 1e-6)
            let turns = Double(positions) * plain / (2 * Double.pi)
            let share = (turns - low) / (high - low)
            let kind = turns > high ? 0 : turns < low ? 1 : 2
            kinds[kind] += 1
            let expected = [plain, plain / factor, (1 - share) * plain / factor + share * plain][kind]
            #expect(ulps(llama3[i], expected) <= 0.5 + 1e-6, "frequency \(i)")
        }
        #expect(kinds.allSatisfy { $0 > 3 }, "every branch is taken: \(kinds)")
        #expect(
            RotaryTable.inverseFrequencies(headDimension: 128, base: base, scaling: .linear(factor: 1))
                == RotaryTable.inverseFrequencies(headDimension: 128, base: base))
    }

    @Test func anUnrotatedTableTurnsNothing() throws {
        let table = RotaryTable.unrotated(headDimension: 12)
        let inputs: [Float] = (0..<24).map { Float($0) * 0.37 - 3 }
        for row in KernelRow.available {
            let kernels = try Kernels(unverified: row)
            var rotated = [BFloat16Bits](repeating: 0, count: 24)
            var plain = rotated
            kernels.rope(
                inputs, stride: 12, rows: 2, heads: 1, positions: [3, 400], table: table, into: &rotated,
                targetStride: 12)
            kernels.roundToBFloat16(inputs, into: &plain, count: 24)
            #expect(rotated == plain)
        }
    }

    @Test func rotaryTableGrowsWithoutChanging() {
        let small = RotaryTable(headDimension: 32, base: 1e4, positions: 5)
        let before = small.rows(for: 5)
        let first = (0..<5 * 16).map { before.cosines[$0] }
        let after = small.rows(for: 100)
        #expect((0..<5 * 16).map { after.cosines[$0] } == first)
        #expect((0..<5 * 16).map { before.cosines[$0] } == first, "earlier pointers stay valid")
        let whole = RotaryTable(headDimension: 32, base: 1e4, positions: 100)
        withExtendedLifetime(whole) {
            let large = whole.rows(for: 100)
            #expect((0..<1600).allSatisfy { large.sines[$0] == after.sines[$0] })
        }
        withExtendedLifetime(small) {}
        #expect(abs(after.sines[16] - sin(Float(1))) < 1e-6 && after.cosines[0] == 1)
    }

    /// Fused or not: attention against the textbook formula in binary64.
    @Test func attentionIsAttention() throws {
        let problem = AttentionProblem(heads: 2, keyValueHeads: 1, dimension: 16, positions: 20, kind: .plain, seed: 3)
        let out = problem.solve(try scalarRow())
        let width = 32
        func read(_ position: Int, key: Bool) -> [Double] {
            var row = [BFloat16Bits](repeating: 0, count: 16)
            let page = UnsafePointer(problem.pages[position / 16].pointer)
            if key {
                problem.layout.readKey(into: &row, page: page, layer: 1, head: 0, slot: position % 16)
            } else {
                problem.layout.readValue(into: &row, page: page, layer: 1, head: 0, slot: position % 16)
            }
            return row.map { Double(ck_widen($0)) }
        }
        for position in [0, 1, 15, 16, 19] {
            for head in 0..<2 {
                let query = (0..<16).map { Double(ck_widen(problem.query[position * width + head * 16 + $0])) }
                let scores = (0...position).map { zip(query, read($0, key: true)).reduce(0) { $0 + $1.0 * $1.1 } / 4 }
                let weights = scores.map { Foundation.exp($0 - (scores.max() ?? 0)) }
                let total = weights.reduce(0, +)
                for d in 0..<16 {
                    let exact = (0...position).reduce(0.0) { $0 + weights[$1] * read($1, key: false)[d] } / total
                    let value = Double(ck_widen(out[position * width + head * 16 + d]))
                    #expect(abs(value - exact) < 0.02)
                }
            }
        }
    }
}
