import Tensors
import Testing

@testable import Transformer

/// Rule 15: what the trainer computes for a token is what the sampler computed, to the bit.
@Suite struct GradientDecoderTests {
    @Test(arguments: [true, false], [0.7 as Float, 1])
    func trainerAndDecoderAgreeOnEveryBit(_ qkNorm: Bool, temperature: Float) throws {
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: 2)
        let configuration = ModelConfiguration(
            vocabularySize: 131, hiddenSize: 40, layers: 3, heads: 6, keyValueHeads: 2, headDimension: 8,
            intermediateSize: 56, tieEmbeddings: qkNorm, qkNorm: qkNorm)
        let master = ModelInitializer.random(configuration, seed: 11)
        let weights = try ModelWeights(master: master, kernels: kernels, pool: pool)
        let sequences = [5, 2, 40, 17, 33, 90].enumerated().map { index, length in
            TrainingSequence(
                tokens: (0..<length).map { Int32(($0 * 37 + index * 53 + $0 * $0) % 131) }, firstTarget: 1 + index % 3)
        }
        let graph = TrainingGraph(configuration: configuration, kernels: kernels, pool: pool)
        let trained = graph.run(sequences, weights: weights, temperature: temperature) { _, _ in 0.1 }
        let scored = graph.score(sequences, weights: weights, temperature: temperature)

        // The decoder prefills half of each sequence and then takes all of them token by token, together.
        let decoder = Decoder(weights: weights, kernels: kernels, pool: pool)
        let cache = KeyValueCache(configuration, maximumPages: 64)
        let handles = sequences.map { _ in cache.makeSequence() }
        var expected = sequences.map { _ in [Float]() }
        func advance(_ pieces: [(index: Int, range: Range<Int>)]) throws {
            let segments = pieces.map { piece in
                Segment(
                    handles[piece.index], tokens: sequences[piece.index].tokens[piece.range],
                    outputs: piece.range.count)
            }
            let rows = try decoder.forward(segments, cache: cache)
            let next = pieces.flatMap { piece in piece.range.map { sequences[piece.index].tokens[$0 + 1] } }
            let found = try decoder.logProbabilities(rows, tokens: next[...], temperature: temperature)
            for (place, index) in pieces.flatMap({ piece in piece.range.map { _ in piece.index } }).enumerated() {
                expected[index].append(found[place])
            }
        }
        try advance(sequences.indices.map { ($0, 0..<max(1, sequences[$0].tokens.count / 2)) })
        var position = 1
        while position < 90 {
            defer { position += 1 }
            let pieces = sequences.indices.filter {
                position >= max(1, sequences[$0].tokens.count / 2) && position < sequences[$0].tokens.count - 1
            }
            if !pieces.isEmpty { try advance(pieces.map { ($0, position..<position + 1) }) }
        }
        let decoded = zip(expected, sequences).flatMap { $0.dropFirst($1.firstTarget - 1) }
        #expect(decoded.map(\.bitPattern) == trained.logProbabilities.map(\.bitPattern))
        #expect(decoded.map(\.bitPattern) == scored.logProbabilities.map(\.bitPattern))
    }
}
