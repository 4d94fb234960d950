import Foundation
import Tensors
import Testing

@testable import Transformer

/// The property that everything rests on: a row depends on its own tokens and on nothing else.
@Suite("Row independence")
struct DecoderIndependenceTests {
    /// A model, a kernel row and a number of threads.
    struct Way: Sendable, CustomTestStringConvertible {
        let shape: ModelConfiguration
        let row: KernelRow
        let threads: Int
        var testDescription: String { "hidden \(shape.hiddenSize), \(row), \(threads) threads" }
    }

    /// Every kernel row of the machine; the slow scalar one, which makes the references, runs on one thread only.
    static let ways: [Way] = KernelRow.available.flatMap { row -> [Way] in
        if row == .scalar { return [Way(shape: OddShape.small, row: row, threads: 1)] }
        if row != KernelRow.available.last {
            return [
                Way(shape: OddShape.small, row: row, threads: 2), Way(shape: OddShape.llama, row: row, threads: 1),
            ]
        }
        return [OddShape.small, OddShape.llama, OddShape.wide].flatMap { shape in
            [1, 2, 3].map { Way(shape: shape, row: row, threads: $0) }
        } + [Way(shape: OddShape.wideWithEverything, row: row, threads: 2)]
    }

    @Test("prefill in one piece is the same on every kernel row and thread count", arguments: ways)
    func whole(way: Way) throws {
        let harness = try DecoderHarness.shared(way.shape)
        let tokens = harness.tokens(75, seed: 1)
        let cache = harness.cache()
        let rows = try harness.decoder(way.row, threads: way.threads).forward(
            [Segment(cache.makeSequence(), tokens: tokens, outputs: 75)], cache: cache)
        #expect(rows.values == (try harness.reference(tokens)))
    }

    @Test("prefill in chunks, decode alone, and decode from a chunk are the same", arguments: ways)
    func chunks(way: Way) throws {
        let harness = try DecoderHarness.shared(way.shape)
        let tokens = harness.tokens(53, seed: 2)
        let expected = try harness.reference(tokens)
        let decoder = try harness.decoder(way.row, threads: way.threads)
        for sizes in [
            [53], [1, 52], [16, 16, 16, 5], [7, 1, 9, 33, 3], [Int](repeating: 1, count: 53), [50, 1, 1, 1],
        ] {
            let cache = harness.cache()
            let sequence = cache.makeSequence()
            var rows: [BFloat16Bits] = []
            var start = 0
            for size in sizes {
                rows += try decoder.forward(
                    [Segment(sequence, tokens: tokens[start..<start + size], outputs: size)], cache: cache
                ).values
                start += size
            }
            #expect(rows == expected, "chunks of \(sizes)")
        }
    }

    @Test("decode in a batch of 1, 7 or 64 strangers is the same", arguments: ways)
    func batch(way: Way) throws {
        let harness = try DecoderHarness.shared(way.shape)
        let decoder = try harness.decoder(way.row, threads: way.threads)
        let width = way.shape.hiddenSize
        for size in [1, 7, 64] {
            let all = (0..<size).map { harness.tokens(8 + $0 % 23, seed: UInt64($0 % 9)) }
            let cache = harness.cache()
            let sequences = all.map { _ in cache.makeSequence() }
            // Prompts go in together, all but the last five tokens; then everyone decodes side by side.
            let prompts = zip(sequences, all).map { Segment($0, tokens: $1[..<($1.count - 5)], outputs: 1) }
            var collected = [[BFloat16Bits]](repeating: [], count: size)
            let first = try decoder.forward(prompts, cache: cache).values
            for index in 0..<size { collected[index] += first.rows(index..<index + 1, width: width) }
            for step in 0..<5 {
                let segments = zip(sequences, all).map { sequence, tokens in
                    Segment(sequence, tokens: tokens[tokens.count - 5 + step..<tokens.count - 4 + step])
                }
                let rows = try decoder.forward(segments, cache: cache).values
                for index in 0..<size { collected[index] += rows.rows(index..<index + 1, width: width) }
            }
            for index in Set([0, 1, size / 2, size - 1]) where index < size {
                let tokens = all[index]
                let expected = try harness.reference(tokens).rows(tokens.count - 6..<tokens.count, width: width)
                #expect(collected[index] == expected, "sequence \(index) of \(size)")
            }
        }
    }

    @Test("a shared prompt is the same as one's own, at every place where it can be cut", arguments: ways)
    func sharedPrompt(way: Way) throws {
        let harness = try DecoderHarness.shared(way.shape)
        let decoder = try harness.decoder(way.row, threads: way.threads)
        let width = way.shape.hiddenSize
        for promptLength in [1, 15, 16, 17, 32, 40] {
            let prompt = harness.tokens(promptLength, seed: 3)
            let cache = harness.cache()
            let parent = cache.makeSequence()
            _ = try decoder.forward([Segment(parent, tokens: prompt)], cache: cache)
            let completions = (0..<5).map { harness.tokens(20, seed: UInt64(10 + $0)) }
            let children = try completions.map { _ in try cache.fork(parent) }
            // The parent goes first, as an engine does once its group has started.
            cache.release(parent)
            var rows = [[BFloat16Bits]](repeating: [], count: 5)
            for step in 0..<20 {
                let segments = zip(children, completions).map { Segment($0, tokens: $1[step..<step + 1]) }
                let values = try decoder.forward(segments, cache: cache).values
                for index in 0..<5 { rows[index] += values.rows(index..<index + 1, width: width) }
            }
            for index in [0, 4] {
                let expected = try harness.reference(prompt + completions[index])
                #expect(rows[index] == expected.rows(promptLength..<promptLength + 20, width: width))
            }
            children.forEach(cache.release)
            #expect(cache.usedPages == 0 && cache.sequenceCount == 0)
        }
    }

    @Test("prefill and decode mixed in one pass, longer than a chunk, are the same", arguments: ways)
    func mixed(way: Way) throws {
        let harness = try DecoderHarness.shared(way.shape)
        let decoder = try harness.decoder(way.row, threads: way.threads)
        let width = way.shape.hiddenSize
        let cache = harness.cache()
        let all = [30, 260, 1, 45, 70].enumerated().map { harness.tokens($1 + 2, seed: UInt64(20 + $0)) }
        let sequences = all.map { _ in cache.makeSequence() }
        _ = try decoder.forward([Segment(sequences[0], tokens: all[0].dropLast())], cache: cache)
        // The first sequence decodes one token while the others arrive, with 1, 262, 0, 10 and 3 wanted rows.
        let segments = [
            Segment(sequences[0], tokens: all[0].suffix(1), outputs: 1),
            Segment(sequences[1], tokens: all[1], outputs: 262),
            Segment(sequences[2], tokens: all[2], outputs: 0), Segment(sequences[3], tokens: all[3], outputs: 10),
            Segment(sequences[4], tokens: all[4], outputs: 3),
        ]
        let rows = try decoder.forward(segments, cache: cache)
        #expect(rows.count == 276)
        var next = 0
        for (tokens, outputs) in zip(all, [1, 262, 0, 10, 3]) {
            let expected = try harness.reference(tokens).rows(tokens.count - outputs..<tokens.count, width: width)
            #expect(rows.values.rows(next..<next + outputs, width: width) == expected)
            next += outputs
        }
    }

    @Test("log-probabilities are the same in any company and equal those of the whole row", arguments: ways)
    func logProbabilities(way: Way) throws {
        let harness = try DecoderHarness.shared(way.shape)
        let tokens = harness.tokens(70, seed: 4)
        let targets = harness.tokens(70, seed: 5)
        let hidden = HiddenRows(try harness.reference(tokens), width: way.shape.hiddenSize)
        let reference = try harness.decoder(harness.referenceRow)
        let decoder = try harness.decoder(way.row, threads: way.threads)
        for temperature in [Float(1), 0.7, 0] {
            let expected = try reference.logProbabilities(hidden, tokens: targets[...], temperature: temperature)
            #expect(try decoder.logProbabilities(hidden, tokens: targets[...], temperature: temperature) == expected)
            let one = HiddenRows(Array(hidden[33]), width: way.shape.hiddenSize)
            #expect(
                try decoder.logProbabilities(one, tokens: targets[33...33], temperature: temperature)
                    == [expected[33]])
            // The same from logits that are stored.
            let logits = decoder.logits(one)
            let sum = decoder.kernels.vocabularySum(
                logits.pointer, count: way.shape.vocabularySize, temperature: temperature)
            #expect(sum.logProbability(ofLogit: logits[Int(targets[33])]) == expected[33])
        }
        // Sanity: a distribution.
        let first = HiddenRows(Array(hidden[0]), width: way.shape.hiddenSize)
        let total = try (0..<way.shape.vocabularySize).reduce(0.0) { sum, token in
            guard way.row == .available.last else { return 1 }
            return try sum
                + Foundation.exp(Double(decoder.logProbabilities(first, tokens: [Int32(token)], temperature: 1)[0]))
        }
        #expect(abs(total - 1) < 1e-3)
    }
}
