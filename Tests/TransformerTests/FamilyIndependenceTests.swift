import Tensors
import Testing

@testable import Transformer

/// Properties P1 and P2 for every family: the same row in any company, chunk, thread and instruction set.
@Suite("Row independence of the families")
struct FamilyIndependenceTests {
    /// A model, a kernel row and a number of threads.
    struct Way: Sendable, CustomTestStringConvertible {
        let model: String
        let row: KernelRow
        let threads: Int
        var testDescription: String { "\(model), \(row), \(threads) threads" }
    }

    static let ways: [Way] = FamilyFixture.names.flatMap { model in
        KernelRow.available.map { row in
            Way(model: model, row: row, threads: row == .scalar ? 1 : row == KernelRow.available.last ? 2 : 3)
        }
    }

    private static let length = 90

    private func tokens(_ count: Int, seed: Int, _ configuration: ModelConfiguration) -> [Int32] {
        (0..<count).map { Int32(($0 * $0 * 7 + $0 * (seed + 3) + seed) % configuration.vocabularySize) }
    }

    private func decoder(_ way: Way) throws -> Decoder {
        Decoder(
            weights: try FamilyFixture.weights(way.model), kernels: try Kernels(row: way.row),
            pool: ComputePool(threads: way.threads))
    }

    /// All rows of a text in one prefill on the scalar row and one thread.
    private func reference(_ model: String, _ tokens: [Int32]) throws -> [BFloat16Bits] {
        let decoder = try decoder(Way(model: model, row: .scalar, threads: 1))
        let cache = KeyValueCache(decoder.weights.configuration, maximumPages: 64)
        return try decoder.forward(
            [Segment(cache.makeSequence(), tokens: tokens, outputs: tokens.count)], cache: cache
        ).values
    }

    @Test("prefill whole, in chunks and token by token are the same", arguments: ways)
    func chunks(way: Way) throws {
        let decoder = try decoder(way)
        let text = tokens(Self.length, seed: 1, decoder.weights.configuration)
        let expected = try reference(way.model, text)
        for sizes in [
            [Self.length], [1, Self.length - 1], [16, 16, 16, 16, 26], [7, 1, 9, 33, 3, 37],
            [Int](repeating: 1, count: Self.length),
        ] {
            let cache = KeyValueCache(decoder.weights.configuration, maximumPages: 64)
            let sequence = cache.makeSequence()
            var rows: [BFloat16Bits] = []
            var start = 0
            for size in sizes {
                rows += try decoder.forward(
                    [Segment(sequence, tokens: text[start..<start + size], outputs: size)], cache: cache
                ).values
                start += size
            }
            #expect(rows == expected, "chunks of \(sizes)")
        }
    }

    @Test("a batch that shares a prompt decodes as each of its samples alone", arguments: ways)
    func sharedPrompt(way: Way) throws {
        let decoder = try decoder(way)
        let configuration = decoder.weights.configuration
        let width = configuration.hiddenSize
        for promptLength in [15, 16, 37] {
            let prompt = tokens(promptLength, seed: 2, configuration)
            let cache = KeyValueCache(configuration, maximumPages: 256)
            let parent = cache.makeSequence()
            _ = try decoder.forward([Segment(parent, tokens: prompt)], cache: cache)
            let completions = (0..<9).map { tokens(30, seed: 10 + $0, configuration) }
            let children = try completions.map { _ in try cache.fork(parent) }
            cache.release(parent)
            var rows = [[BFloat16Bits]](repeating: [], count: completions.count)
            for step in 0..<30 {
                let segments = zip(children, completions).map { Segment($0, tokens: $1[step..<step + 1]) }
                let values = try decoder.forward(segments, cache: cache).values
                for index in rows.indices { rows[index] += values.rows(index..<index + 1, width: width) }
            }
            for index in [0, 5, 8] {
                let expected = try reference(way.model, prompt + completions[index])
                #expect(rows[index] == expected.rows(promptLength..<promptLength + 30, width: width))
            }
        }
    }

    @Test(
        "what lies outside every window changes no bit, and what lies inside does",
        arguments: ["mistral-window", "smollm3-window"])
    func outsideTheWindow(model: String) throws {
        var configuration = try FamilyFixture.weights(model).configuration
        // A layer's rows see window − 1 positions back; all layers windowed here.
        configuration.windowedLayers = Array(0..<configuration.layers)
        let fixture = try FamilyFixture(model)
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: 1)
        let weights = try ModelWeights(configuration, tensors: fixture.directory.tensors, kernels: kernels, pool: pool)
        let decoder = Decoder(weights: weights, kernels: kernels, pool: pool)
        func lastRow(_ tokens: [Int32]) throws -> [BFloat16Bits] {
            let cache = KeyValueCache(configuration, maximumPages: 64)
            return try decoder.forward([Segment(cache.makeSequence(), tokens: tokens)], cache: cache).values
        }
        let window = try #require(configuration.slidingWindow)
        let reach = configuration.layers * (window - 1)
        var text = tokens(Self.length, seed: 3, configuration)
        let expected = try lastRow(text)
        let last = text.count - 1
        for place in 0..<last - reach { text[place] = (text[place] + 1) % Int32(configuration.vocabularySize) }
        #expect(try lastRow(text) == expected)
        text[last - window + 1] = (text[last - window + 1] + 1) % Int32(configuration.vocabularySize)
        #expect(try lastRow(text) != expected)
    }
}
