import Tensors
import Testing

@testable import Transformer

@Suite("Decoder requests and the cache")
struct DecoderRequestTests {
    private let harness: DecoderHarness
    private let decoder: Decoder

    init() throws {
        harness = try DecoderHarness(OddShape.small)
        decoder = try harness.decoder()
    }

    @Test("requests that do not fit the model are refused and change nothing")
    func refused() throws {
        let cache = harness.cache()
        let sequence = cache.makeSequence()
        func code(_ segments: [Segment]) -> ModelError.Code? {
            do throws(ModelError) {
                _ = try decoder.forward(segments, cache: cache)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(code([Segment(sequence, tokens: [131])]) == .invalidRequest)
        #expect(code([Segment(sequence, tokens: [-1])]) == .invalidRequest)
        #expect(code([Segment(sequence, tokens: [])]) == .invalidRequest)
        #expect(code([Segment(sequence, tokens: [1], outputs: 2)]) == .invalidRequest)
        #expect(code([Segment(sequence, tokens: [Int32](repeating: 1, count: 513))]) == .invalidRequest)
        #expect(code([Segment(sequence, tokens: [1]), Segment(sequence, tokens: [2])]) == .invalidRequest)
        #expect(cache.length(of: sequence) == 0 && cache.usedPages == 0)
        #expect(code([Segment(sequence, tokens: [Int32](repeating: 1, count: 512))]) == nil)
        #expect(cache.length(of: sequence) == 512 && cache.usedPages == 32)
        #expect(try decoder.forward([], cache: cache).count == 0)
    }

    @Test("a full cache refuses the whole pass, and released pages serve again")
    func full() throws {
        let cache = harness.cache(pages: 3)
        let (one, two) = (cache.makeSequence(), cache.makeSequence())
        let tokens = harness.tokens(32, seed: 1)
        _ = try decoder.forward([Segment(one, tokens: tokens)], cache: cache)
        let error = #expect(throws: ModelError.self) {
            try decoder.forward([Segment(one, tokens: [1]), Segment(two, tokens: [1])], cache: cache)
        }
        #expect(error?.code == .cacheFull)
        #expect(cache.length(of: one) == 32 && cache.length(of: two) == 0 && cache.availablePages == 1)
        cache.release(one)
        let again = cache.makeSequence()
        let rows = try decoder.forward([Segment(again, tokens: tokens, outputs: 32)], cache: cache)
        #expect(rows.values == (try harness.reference(tokens)))
    }

    @Test("memory that is prepared is as many pages as are asked for, and gives the same bits")
    func prepared() throws {
        for pages in [0, 1, 16, 17, 100] {
            let cache = harness.cache(pages: 20)
            cache.prepare(pages: pages)
            #expect(cache.usedPages == 0 && cache.availablePages == 20)
            let tokens = harness.tokens(32, seed: 1)
            let sequences = try (0..<10).map { _ in
                let sequence = cache.makeSequence()
                let rows = try decoder.forward([Segment(sequence, tokens: tokens, outputs: 32)], cache: cache)
                #expect(rows.values == (try harness.reference(tokens)))
                return sequence
            }
            #expect(cache.availablePages == 0)
            for sequence in sequences { cache.release(sequence) }
            #expect(cache.availablePages == 20)
        }
    }

    @Test("a page that held garbage gives the same bits as a fresh one")
    func reusedPages() throws {
        let cache = harness.cache(pages: 4)
        let tokens = harness.tokens(33, seed: 2)
        let expected = try harness.reference(tokens)
        for seed in 0..<4 {
            let dirty = cache.makeSequence()
            _ = try decoder.forward([Segment(dirty, tokens: harness.tokens(64, seed: UInt64(seed)))], cache: cache)
            cache.release(dirty)
            let sequence = cache.makeSequence()
            let rows = try decoder.forward([Segment(sequence, tokens: tokens, outputs: 33)], cache: cache)
            #expect(rows.values == expected)
            cache.release(sequence)
        }
    }

    @Test("a fork needs a page only where the last one is partial")
    func forkPages() throws {
        let cache = harness.cache(pages: 3)
        let parent = cache.makeSequence()
        _ = try decoder.forward([Segment(parent, tokens: harness.tokens(32, seed: 1))], cache: cache)
        let child = try cache.fork(parent)
        #expect(cache.usedPages == 2)
        _ = try decoder.forward([Segment(child, tokens: [5])], cache: cache)
        #expect(cache.usedPages == 3)
        let error = #expect(throws: ModelError.self) { try cache.fork(child) }
        #expect(error?.code == .cacheFull)
        #expect(cache.sequenceCount == 2)
        cache.release(parent)
        #expect(cache.usedPages == 3)
        cache.release(child)
        #expect(cache.usedPages == 0)
    }

    @Test("weights that overflow fail with a typed error")
    func overflow() throws {
        let master = ModelInitializer.random(OddShape.small, seed: 1)
        for name in ["model.layers.0.self_attn.v_proj.weight", "model.layers.1.mlp.down_proj.weight"] {
            let values = try #require(master.tensor(named: name))
            for index in 0..<values.count { values[index] = index % 2 == 0 ? 3e38 : 2e38 }
        }
        let kernels = try Kernels(row: .scalar)
        let pool = ComputePool(threads: 1)
        let decoder = Decoder(
            weights: try ModelWeights(master: master, kernels: kernels, pool: pool), kernels: kernels, pool: pool)
        let cache = harness.cache()
        let error = #expect(throws: ModelError.self) {
            try decoder.forward([Segment(cache.makeSequence(), tokens: [1, 2, 3])], cache: cache)
        }
        #expect(error?.code == .notFinite)
    }

    @Test("log-probabilities of tokens outside the vocabulary are refused")
    func badTarget() throws {
        let rows = HiddenRows([BFloat16Bits](repeating: 0x3F80, count: 37), width: 37)
        #expect(throws: ModelError.self) { try decoder.logProbabilities(rows, tokens: [131], temperature: 1) }
        #expect(throws: ModelError.self) { try decoder.logProbabilities(rows, tokens: [-1], temperature: 1) }
    }

    @Test("rows differ where tokens differ: the comparison can fail")
    func negativeControl() throws {
        let tokens = harness.tokens(40, seed: 1)
        var other = tokens
        other[20] = (other[20] + 1) % 131
        let width = OddShape.small.hiddenSize
        let (left, right) = (try harness.reference(tokens), try harness.reference(other))
        #expect(left.rows(0..<20, width: width) == right.rows(0..<20, width: width))
        for row in 20..<40 {
            #expect(left.rows(row..<row + 1, width: width) != right.rows(row..<row + 1, width: width))
        }
    }
}
