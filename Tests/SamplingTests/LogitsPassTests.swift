import Foundation
import Synchronization
import Tensors
import Testing

@testable import Sampling

/// Small projections go row by row, large ones panel by panel; the logits are the same product.
@Suite struct LogitsPassTests {
    private func matrix(_ rows: Int, _ columns: Int) -> (packed: PackedMatrix, input: [UInt16]) {
        var state: UInt64 = 17
        func bits() -> UInt16 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let value = Float(Int64(bitPattern: state) >> 40) / Float(1 << 23)
            return UInt16(truncatingIfNeeded: value.bitPattern >> 16)
        }
        let weights = (0..<rows * columns).map { _ in bits() }
        let packed = PackedMatrix(rows: rows, columns: columns)
        packed.pack(weights, rows: rows, at: 0)
        return (packed, (0..<70 * columns).map { _ in bits() })
    }

    @Test(arguments: [(101, 40), (9001, 60), (2048, 64), (70000, 8)])
    func everyRowOnceAndEqual(vocabulary: Int, hidden: Int) throws {
        let kernels = try Kernels.preferred()
        let (packed, input) = matrix(vocabulary, hidden)
        var reference = [Float](repeating: 0, count: 70 * packed.panelCount * PackedMatrix.panelWidth)
        let stride = packed.panelCount * PackedMatrix.panelWidth
        kernels.matmul(input, stride: hidden, rows: 70, by: packed, into: &reference, outStride: stride)
        for threads in [1, 3] {
            let pass = LogitsPass(output: packed, kernels: kernels, pool: ComputePool(threads: threads))
            for count in [0, 1, 15, 16, 17, 70] {
                let seen = Mutex([Int](repeating: 0, count: 70))
                let equal = Mutex(true)
                pass.run(input, count: count) { row, logits in
                    seen.withLock { $0[row] += 1 }
                    let same = (0..<vocabulary).allSatisfy {
                        logits[$0].bitPattern == reference[row * stride + $0].bitPattern
                    }
                    if !same { equal.withLock { $0 = false } }
                }
                #expect(seen.withLock { $0 } == (0..<70).map { $0 < count ? 1 : 0 })
                #expect(equal.withLock { $0 }, "\(threads) threads, \(count) rows")
            }
        }
    }

    /// Vocabularies of several blocks: against double precision, with the naive choice.
    @Test func largeVocabularies() throws {
        let kernels = try Kernels.preferred()
        let noise = try KnownAnswerTests.key(2).words
        for size in [2047, 2048, 2049, 5000] {
            let logits = (0..<size).map { Float(($0 * 7919) % 1009) / 100 }
            let parameters = SamplingParameters(samples: 1, maximumTokens: 1, temperature: 0.8)
            let chooser = TokenChooser(kernels: kernels, vocabularySize: size, parameters: parameters)
            for position in 0..<40 as Range<UInt32> {
                let chosen = try chooser.choose(logits, noise: noise, position: position)
                let scores = (0..<size).map { id in
                    let block = Kernels.philox(
                        counter: (position, UInt32(id >> 2), noise.counter.0, noise.counter.1), key: noise.key)
                    let word = [block.0, block.1, block.2, block.3][id & 3]
                    let t = min((Double(word) + 0.5) / 4_294_967_296, 1 - 0x1p-24)
                    return Double(logits[id]) / 0.8 - log(-log1p(-t))
                }
                let best = scores.max() ?? 0
                #expect(best - scores[Int(chosen.token)] < 1e-5, "size \(size), position \(position)")
                let z = logits.map { Double($0) / 0.8 }
                let exact = z[Int(chosen.token)] - log(z.reduce(0) { $0 + exp($1) })
                #expect(abs(Double(chosen.logProbability) - exact) < 1e-5)
            }
        }
    }
}
