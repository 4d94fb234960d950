import Tensors
import Testing

@testable import Transformer

/// Attention reads pages that neighbours share once; who the neighbours are must not show.
@Suite("Shared pages")
struct SharedPagesTests {
    /// A sequence with the tokens that it was given so far.
    private struct Text {
        let sequence: SequenceHandle
        var tokens: [Int32]
        /// What the last pass returned for it.
        var rows: [BFloat16Bits] = []
    }

    @Test(
        "groups, branches of branches and strangers in one batch decode as each of them alone",
        arguments: DecoderIndependenceTests.ways, [0, 1])
    func mixtures(way: DecoderIndependenceTests.Way, round: Int) throws {
        let harness = try DecoderHarness.shared(way.shape)
        let decoder = try harness.decoder(way.row, threads: way.threads)
        // So few pages that they are used again and again, with what others left in them.
        let cache = harness.cache(pages: 90)
        var seed = UInt64(100 * round)
        func tokens(_ count: Int) -> [Int32] {
            seed += 1
            return harness.tokens(count, seed: seed)
        }
        func advance(_ texts: inout [Text], by counts: [Int]) throws {
            let segments = texts.indices.map { index in
                let more = tokens(counts[index])
                texts[index].tokens += more
                return Segment(texts[index].sequence, tokens: more, outputs: more.count)
            }
            let rows = try decoder.forward(segments, cache: cache).values
            var next = 0
            for index in texts.indices {
                texts[index].rows = rows.rows(next..<next + counts[index], width: way.shape.hiddenSize)
                next += counts[index]
            }
        }
        func branch(_ text: Text) throws -> Text {
            Text(sequence: try cache.fork(text.sequence), tokens: text.tokens)
        }
        for generation in 0..<2 {
            var texts = (0..<3).map { _ in Text(sequence: cache.makeSequence(), tokens: []) }
            try advance(&texts, by: [48, 37 + generation, 5])
            // Five samples of the first, three of the second, the third alone, and the originals.
            for (parent, count) in [(0, 5), (1, 3)] { for _ in 0..<count { try texts.append(branch(texts[parent])) } }
            texts.sort { $0.tokens.count > $1.tokens.count }
            try advance(&texts, by: texts.map { _ in 1 })
            try advance(&texts, by: texts.indices.map { [1, 16, 30, 1][$0 % 4] })
            // Branches of a branch share more pages with each other than with the rest of their group.
            for _ in 0..<2 { try texts.insert(branch(texts[2]), at: 3) }
            for _ in 0..<2 { try advance(&texts, by: texts.map { _ in 1 }) }
            for text in texts {
                let expected = try harness.reference(text.tokens)
                let count = text.tokens.count
                #expect(text.rows == expected.rows(count - 1..<count, width: way.shape.hiddenSize))
                cache.release(text.sequence)
            }
            #expect(cache.usedPages == 0)
        }
    }
}
