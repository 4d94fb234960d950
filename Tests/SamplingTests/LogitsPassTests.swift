import Foundation
import Tensors
import Testing

@testable import Sampling

/// Small projections go row by row, large ones block by block; the tokens are the same.
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

    /// Against the choice from whole rows of logits, which the kernels' tests compare with the scalar row.
    @Test(arguments: [(101, 40), (9001, 60), (2048, 264), (70000, 8)])
    func everyDrawEqualsTheWholeRow(vocabulary: Int, hidden: Int) throws {
        let kernels = try Kernels.preferred()
        let (packed, input) = matrix(vocabulary, hidden)
        let stride = packed.panelCount * PackedMatrix.panelWidth
        var logits = [Float](repeating: 0, count: 70 * stride)
        kernels.matmul(input, stride: hidden, rows: 70, by: packed, into: &logits, outStride: stride)
        let parameters: [SamplingParameters] = [
            SamplingParameters(samples: 1, maximumTokens: 1),
            SamplingParameters(samples: 1, maximumTokens: 1, temperature: 0),
            SamplingParameters(samples: 1, maximumTokens: 1, temperature: 0.3),
            SamplingParameters(samples: 1, maximumTokens: 1, minP: 0.2),
        ]
        for groups in [3, 4] {
            let choosers = parameters.prefix(groups).map {
                TokenChooser(kernels: kernels, vocabularySize: vocabulary, parameters: $0)
            }
            for (threads, count) in [(1, 70), (3, 1), (3, 70)] {
                // Some rows have several draws and some have none; some draws claim a token.
                let draws = try (0..<count).flatMap { row in
                    try (0..<(row * 7 + 1) % 4).map { place in
                        let claimed = (row + place) % 3 == 0 ? Int32((row * 977 + place) % vocabulary) : nil
                        return TokenDraw(
                            row: row, chooser: row % groups, noise: try KnownAnswerTests.key(UInt32(place)).words,
                            position: UInt32(row), claimed: claimed)
                    }
                }
                let pass = LogitsPass(output: packed, kernels: kernels, pool: ComputePool(threads: threads))
                let drawn = try pass.draw(draws, choosers, from: input)
                let expected = try draws.map { draw in
                    try logits.withUnsafeBufferPointer {
                        try choosers[draw.chooser].draw(draw, from: try #require($0.baseAddress) + draw.row * stride)
                    }
                }
                #expect(drawn == expected, "\(groups) groups, \(threads) threads, \(count) rows")
            }
        }
    }

    @Test(arguments: [(101, 40), (9001, 60)]) func nonFiniteLogitsNameThePosition(vocabulary: Int, hidden: Int) throws {
        let kernels = try Kernels.preferred()
        var (packed, input) = matrix(vocabulary, hidden)
        input[5 * hidden] = 0x7F80
        let pass = LogitsPass(output: packed, kernels: kernels, pool: ComputePool(threads: 2))
        let chooser = TokenChooser(
            kernels: kernels, vocabularySize: vocabulary,
            parameters: SamplingParameters(samples: 1, maximumTokens: 1))
        let draws = try (0..<9).map {
            TokenDraw(row: $0, chooser: 0, noise: try KnownAnswerTests.key(0).words, position: 100 + UInt32($0))
        }
        #expect(throws: SamplingError.nonFiniteLogits(position: 105)) {
            try pass.draw(draws, [chooser], from: input)
        }
        #expect(try pass.draw([], [chooser], from: input).isEmpty)
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
