import CKernels
import Foundation
import Testing

@testable import Tensors

/// Rule 10: Philox, the noise, the exact skip and the distribution.
@Suite struct ChoiceTests {
    /// The published known answers of Random123.
    @Test func philoxKnownAnswers() {
        let ones = UInt32.max
        #expect(
            Kernels.philox(counter: (0, 0, 0, 0), key: (0, 0)) == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        #expect(
            Kernels.philox(counter: (ones, ones, ones, ones), key: (ones, ones))
                == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
        #expect(
            Kernels.philox(
                counter: (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: (0xa409_3822, 0x299f_31d0))
                == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    @Test func noiseCoversTheWholeRange() {
        let smallest = CanonicalEnvironment.run { ck_exponential(0) }
        let largest = CanonicalEnvironment.run { ck_exponential(.max) }
        #expect(smallest == 0x1p-33)
        #expect(largest.isFinite && largest > 16)
        #expect(NoiseWords(material: [UInt8](repeating: 1, count: 15)) == nil)
    }

    @Test func materialIsLittleEndian() {
        let words = NoiseWords(material: (0..<32).map { UInt8($0) })
        #expect(words?.key.0 == 0x0302_0100 && words?.key.1 == 0x0706_0504)
        #expect(words?.counter.0 == 0x0b0a_0908 && words?.counter.1 == 0x0f0e_0d0c)
    }

    /// The fast rows skip noise, the scalar row never does: rows of logits that tempt a skip to go wrong.
    @Test func exactSkipEqualsTheFullScan() throws {
        let reference = try scalarRow()
        var inputs = Inputs(seed: 31)
        let patterns: [(Int, inout Inputs) -> Float] = [
            { _, _ in 0 },
            { _, inputs in inputs.float(.plain) * 0x1p-20 },
            { v, _ in -Float(v) * 0.05 },
            { v, _ in Float(v) * 0.05 },
            { v, _ in v % 97 == 0 ? 20 : -3 },
            { v, _ in v == 0 ? 22.8 : 0 },
            { v, _ in v == 0 ? 23.9 : 0 },
            { _, inputs in inputs.float(.logits) * 100 },
            { _, inputs in 10_000 + inputs.float(.plain) },
            { v, _ in v % 64 < 2 ? 30 : -1e30 },
            { _, inputs in inputs.word() % 2 == 0 ? -0.0 : 0.0 },
        ]
        for pattern in patterns {
            for count in [1, 5, 128, 333, 1000] {
                let logits = (0..<count).map { pattern($0, &inputs) }
                for position: UInt32 in 0..<4 {
                    let noise = inputs.noise()
                    let temperature: Float = position % 2 == 0 ? 1 : 0.7
                    let expected = reference.gumbelArgmax(
                        logits, count: count, temperature: temperature, noise: noise, position: position)
                    for kernels in everyRow {
                        let found = kernels.gumbelArgmax(
                            logits, count: count, temperature: temperature, noise: noise, position: position)
                        #expect(found == expected)
                    }
                }
            }
        }
    }

    /// Blocks in any order, on several threads' choices: ties inside a block and across blocks, zeros of both signs,
    /// logits so large that noise is lost, and temperatures at both ends.
    @Test func theOrderOfBlocksDoesNotMatter() throws {
        let reference = try scalarRow()
        var inputs = Inputs(seed: 32)
        let patterns: [(Int, inout Inputs) -> Float] = [
            { _, inputs in inputs.float(.logits) },
            { _, inputs in inputs.word() % 2 == 0 ? -0.0 : 0.0 },
            { _, _ in 1e8 },
            { v, _ in v % 2048 == 77 ? 1e8 : -1e8 },
            { v, _ in v % 2048 == 2047 ? 60 : -60 },
            { v, _ in v / 2048 == 3 ? 40 : -40 },
            { v, _ in Float(v / 2048) * 25 },
            { v, _ in Float(v / 2048) * -25 },
            { _, inputs in inputs.float(.plain) * 0.25 },
            { _, inputs in 990 + 20 * inputs.float(.plain) },
        ]
        let count = 7000
        for pattern in patterns {
            let logits = (0..<count).map { pattern($0, &inputs) }
            for temperature: Float in [0, 1, 0.01, 0.7, 100] {
                let noise = inputs.noise()
                let expected = reference.gumbelArgmax(
                    logits, count: count, temperature: temperature, noise: noise, position: 3)
                let sum = reference.vocabularySum(logits, count: count, temperature: temperature)
                for kernels in everyRow {
                    var choices = [TokenChoice(), TokenChoice()]
                    var sums = [VocabularyBlock?](repeating: nil, count: 4)
                    for block in (0..<4).sorted(by: { _, _ in inputs.word() % 2 == 0 }) {
                        let part = Array(logits[block * 2048..<min((block + 1) * 2048, count)])
                        sums[block] = kernels.sample(
                            part, firstID: block * 2048, count: part.count, temperature: temperature, noise: noise,
                            position: 3, choice: &choices[Int(inputs.word() % 2)])
                    }
                    var choice = choices[1]
                    choice.merge(choices[0])
                    #expect(choice == expected)
                    let combined = sums.compactMap(\.self).withUnsafeBufferPointer {
                        kernels.vocabularySum(combining: $0, temperature: temperature)
                    }
                    #expect(combined == sum)
                }
            }
        }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity]) func nonFiniteLogitsAreSeen(bad: Float) {
        for count in [1, 64, 100, 2048] {
            for place in [0, count / 2, count - 1] {
                var logits = [Float](repeating: 1, count: count)
                logits[place] = bad
                for kernels in everyRow {
                    for temperature: Float in [0, 1, 0.5] {
                        var choice = TokenChoice()
                        let sum = kernels.sample(
                            logits, firstID: 0, count: count, temperature: temperature, noise: Inputs.fixedNoise,
                            position: 0, choice: &choice)
                        #expect(sum == nil)
                    }
                }
            }
        }
    }

    @Test func greedyTakesTheLowestOfEquals() {
        var logits = [Float](repeating: -1, count: 100)
        logits[40] = 5
        logits[41] = 5
        logits[99] = 5
        for kernels in everyRow {
            let choice = kernels.gumbelArgmax(
                logits, count: 100, temperature: 0, noise: Inputs.fixedNoise, position: 0)
            #expect(choice.token == 40 && choice.logit == 5)
        }
    }

    /// Chi-square over 16 outcomes; 60 has a probability below 1e-6 for 15 degrees of freedom, and the seed is fixed.
    @Test func distributionIsTheSoftmax() throws {
        let kernels = try Kernels.preferred()
        var inputs = Inputs(seed: 33)
        let logits = inputs.floats(16, .plain)
        let total = logits.reduce(0.0) { $0 + Foundation.exp(Double($1)) }
        let draws = 40_000
        var counts = [Int](repeating: 0, count: 16)
        let noise = inputs.noise()
        for position in 0..<draws {
            let choice = kernels.gumbelArgmax(
                logits, count: 16, temperature: 1, noise: noise, position: UInt32(position))
            counts[Int(choice.token)] += 1
        }
        let statistic = zip(counts, logits).reduce(0.0) { sum, pair in
            let expected = Double(draws) * Foundation.exp(Double(pair.1)) / total
            return sum + (Double(pair.0) - expected) * (Double(pair.0) - expected) / expected
        }
        #expect(statistic < 60, "chi-square \(statistic)")
    }

    @Test func logProbabilitiesSumToOne() {
        var inputs = Inputs(seed: 34)
        let logits = inputs.floats(3000, .logits)
        for kernels in everyRow {
            let sum = kernels.vocabularySum(logits, count: 3000, temperature: 0.9)
            let total = logits.reduce(0.0) { $0 + Foundation.exp(Double(sum.logProbability(ofLogit: $1))) }
            #expect(abs(total - 1) < 1e-4)
        }
    }
}

extension Inputs {
    /// Any noise, for calls that do not use it.
    static var fixedNoise: NoiseWords {
        var inputs = Inputs(seed: 0)
        return inputs.noise()
    }
}
