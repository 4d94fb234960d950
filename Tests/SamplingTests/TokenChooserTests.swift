import Foundation
import Identity
import Tensors
import Testing

@testable import Sampling

@Suite struct TokenChooserTests {
    let kernels: Kernels

    init() throws { kernels = try Kernels.preferred() }

    private func chooser(_ size: Int, _ temperature: Float = 1, _ edit: (inout SamplingParameters) -> Void = { _ in })
        -> TokenChooser
    {
        var parameters = SamplingParameters(samples: 1, maximumTokens: 1, temperature: temperature)
        edit(&parameters)
        return TokenChooser(kernels: kernels, vocabularySize: size, parameters: parameters)
    }

    @Test func greedyTakesTheLargestAndReportsAtTemperatureOne() throws {
        let logits: [Float] = [0, 2, 1, 2, -1]
        let chosen = try chooser(5, 0).choose(logits, noise: KnownAnswerTests.key(0).words, position: 9)
        #expect(chosen.token == 1, "ties go to the lowest id")
        let exact = 2 - log(logits.reduce(0.0) { $0 + exp(Double($1)) })
        #expect(abs(Double(chosen.logProbability) - exact) < 1e-6)
        let sampled = try chooser(5, 1).replay(logits, claimed: 1, noise: KnownAnswerTests.key(0).words, position: 9)
        #expect(sampled.logProbability == chosen.logProbability)
    }

    /// Frequencies over many positions follow the softmax: chi-squared far below its 1e-6 point.
    @Test(arguments: [1, 0.5, 3] as [Float]) func frequenciesFollowTheDistribution(temperature: Float) throws {
        let logits = (0..<20).map { Float($0 % 7) * 0.6 - Float($0) * 0.05 }
        let weights = logits.map { exp(Double($0 / temperature)) }
        let total = weights.reduce(0, +)
        let draws = 40000
        var counts = [Int](repeating: 0, count: logits.count)
        let noise = try KnownAnswerTests.key(5).words
        let chooser = chooser(logits.count, temperature)
        for position in 0..<UInt32(draws) {
            counts[Int(try chooser.choose(logits, noise: noise, position: position).token)] += 1
        }
        let statistic = zip(counts, weights).reduce(0.0) { sum, pair in
            let expected = Double(draws) * pair.1 / total
            return sum + pow(Double(pair.0) - expected, 2) / expected
        }
        #expect(statistic < 70, "19 degrees of freedom")
    }

    @Test func choiceIgnoresWhatHappensAround() throws {
        let noise = try KnownAnswerTests.key(3).words
        let chooser = chooser(128)
        var generator = Noise(state: 4)
        let rows = (0..<50).map { _ in (0..<128).map { _ in generator.logit() } }
        let forwards = try rows.enumerated().map { try chooser.choose($1, noise: noise, position: UInt32($0)) }
        let backwards = try rows.enumerated().reversed().map {
            try chooser.choose($1, noise: noise, position: UInt32($0))
        }
        #expect(forwards == backwards.reversed())
        for (position, row) in rows.enumerated() {
            let claimed = Int32(position)
            let replay = try chooser.replay(row, claimed: claimed, noise: noise, position: UInt32(position))
            #expect(replay.choice == forwards[position].token)
            let honest = try chooser.replay(row, claimed: replay.choice, noise: noise, position: UInt32(position))
            #expect(honest.logProbability == forwards[position].logProbability)
        }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity]) func nonFiniteLogitsAreRefused(bad: Float) throws {
        var logits = [Float](repeating: 0, count: 40)
        logits[33] = bad
        let noise = try KnownAnswerTests.key(0).words
        #expect(throws: SamplingError.nonFiniteLogits(position: 7)) {
            try chooser(40).choose(logits, noise: noise, position: 7)
        }
    }

    /// Against the rule written with sorting, over many random rows with ties.
    @Test func filtersFollowTheRule() throws {
        var generator = Noise(state: 6)
        for _ in 0..<300 {
            let size = Int(generator.next() % 60) + 1
            let logits = (0..<size).map { _ in (generator.logit() * 2).rounded() / 2 }
            let topK = Int(generator.next() % 20)
            let topP = Float(generator.next() % 11) / 10
            let minP = Float(generator.next() % 4) / 10
            var parameters = SamplingParameters(samples: 1, maximumTokens: 1, temperature: 0.7)
            (parameters.topK, parameters.topP, parameters.minP) = (topK, topP, minP)
            guard parameters.hasFilters else { continue }
            var order = logits.indices.sorted { (logits[$0], $1) > (logits[$1], $0) }
            if topK > 0 { order = Array(order.prefix(topK)) }
            let maximum = (logits.max() ?? 0) / 0.7
            let weights = order.map { Kernels.exp(logits[$0] / 0.7 - maximum) }
            let total = weights.reduce(0, +)
            var expected: Set<Int> = []
            var sum: Float = 0
            for (rank, id) in order.enumerated() {
                if weights[rank] >= minP { expected.insert(id) }
                sum += weights[rank]
                if topP > 0, topP < 1, sum >= topP * total { break }
            }
            var kept = [Float](repeating: 0, count: size)
            logits.withUnsafeBufferPointer { logits in
                kept.withUnsafeMutableBufferPointer { TokenFilters(parameters).apply(to: logits, into: $0) }
            }
            #expect(Set(kept.indices.filter { kept[$0] > -.infinity }) == expected)
            #expect(expected.allSatisfy { kept[$0] == logits[$0] })
        }
    }

    @Test func filteredChoiceStaysInsideAndReportsTheWholeVocabulary() throws {
        let logits = (0..<32).map { Float($0) / 8 }
        let noise = try KnownAnswerTests.key(1).words
        let filtered = chooser(32) { $0.topK = 3 }
        let free = chooser(32)
        for position in 0..<200 as Range<UInt32> {
            let chosen = try filtered.choose(logits, noise: noise, position: position)
            #expect(chosen.token >= 29)
            let whole = try free.replay(logits, claimed: chosen.token, noise: noise, position: position)
            #expect(whole.logProbability == chosen.logProbability)
        }
    }
}

private struct Noise {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 33
    }
    mutating func logit() -> Float { Float(next() % 4000) / 500 - 4 }
}
