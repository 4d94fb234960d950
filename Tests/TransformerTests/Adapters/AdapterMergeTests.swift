import Identity
import Safetensors
import Tensors
import Testing

@testable import Transformer

/// Rule 16: merging is the same everywhere, and what PEFT computes without merging.
@Suite("Merging adapters") struct AdapterMergeTests {
    private static let rows = KernelRow.available

    @Test("the merged bits are those of the rule in NumPy, on every row and any number of threads", arguments: rows)
    func bits(row: KernelRow) throws {
        for name in AdapterFixture.names {
            let fixture = try AdapterFixture(name)
            let kernels = try Kernels(row: row)
            for threads in [1, 3] {
                let weights = try fixture.base.weights(
                    adapter: fixture.adapter, kernels: kernels, pool: ComputePool(threads: threads))
                let layout = try fixture.adapter.factors(for: fixture.layout, kernels: kernels).layout
                #expect(layout.pairs.count == (name == "llama" ? 6 : 14))
                for pair in layout.pairs {
                    let expected = try fixture.golden.load(
                        "merged/\(pair.weight.name)", as: .bfloat16, shape: pair.weight.shape, UInt16.self)
                    let found = try #require(weights.tensor(named: pair.weight.name))
                    withExtendedLifetime(expected) {
                        #expect(found.elementsEqual(expected.buffer), "\(name) \(pair.weight.name)")
                    }
                }
            }
        }
    }

    @Test("the hash of a merged model is one number for ever", arguments: rows)
    func vector(row: KernelRow) throws {
        let kernels = try Kernels(row: row)
        for threads in [1, 2, 5] {
            let pool = ComputePool(threads: threads)
            let master = ModelInitializer.random(ModelShape.nano.configuration, seed: 1)
            let base = try ModelWeights(master: master, kernels: kernels, pool: pool)
            let configuration = try AdapterConfiguration(rank: 5, alpha: 7, targets: ["q_proj", "mlp.down_proj"])
            let adapter = AdapterInitializer.random(try AdapterLayout(configuration, base: base.layout), seed: 2)
            for pair in adapter.layout.pairs {
                for (index, _) in adapter[pair.up].enumerated() {
                    adapter[pair.up][index] = Float(index % 17 - 8) * 0x1p-7
                }
            }
            let kept = AdapterBase(base, adapting: adapter.layout)
            try base.merge(try adapter.rounded(kernels), into: kept, kernels: kernels, pool: pool)
            #expect(base.weightsHash.hex == "068171c6323adfa5afce69663736c2cb40db0671d6fe2d1239b6407096d6e458")
            #expect(kept.weightsHash != base.weightsHash)
        }
    }

    @Test("an empty adapter is the base itself, also where weights are -0")
    func empty() throws {
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: 2)
        let master = ModelInitializer.random(ModelShape.nano.configuration, seed: 1)
        master[master.layout.layers[0].query][0] = -0.0
        let weights = try ModelWeights(master: master, kernels: kernels, pool: pool)
        let before = weights.tensor(named: "model.layers.0.self_attn.q_proj.weight")
        let layout = try AdapterLayout(try AdapterConfiguration(rank: 4, alpha: 8), base: weights.layout)
        let kept = AdapterBase(weights, adapting: layout)
        let adapter = AdapterInitializer.random(layout, seed: 3)
        try weights.merge(try adapter.rounded(kernels), into: kept, kernels: kernels, pool: pool)
        #expect(before?.first == 0x8000)
        #expect(weights.tensor(named: "model.layers.0.self_attn.q_proj.weight") == before)
        #expect(weights.weightsHash == kept.weightsHash)
    }

    @Test("logits of the merged model are PEFT's within what rounding explains", arguments: AdapterFixture.names)
    func logits(name: String) throws {
        let fixture = try AdapterFixture(name)
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: 1)
        let tokens = try fixture.tokens
        func distance(_ adapter: AdapterDirectory?) throws -> Float {
            let weights = try fixture.base.weights(adapter: adapter, kernels: kernels, pool: pool)
            let decoder = Decoder(weights: weights, kernels: kernels, pool: pool)
            let cache = KeyValueCache(weights.configuration, maximumPages: 8)
            let rows = try decoder.forward(
                [Segment(cache.makeSequence(), tokens: tokens, outputs: tokens.count)], cache: cache)
            let stored = decoder.logits(rows)
            let expected = try fixture.floats("logits")
            #expect(stored.count == expected.count)
            return withExtendedLifetime(stored) {
                zip(stored.buffer, expected).reduce(0) { $0 + abs($1.0 - $1.1) } / Float(expected.count)
            }
        }
        let merged = try distance(fixture.adapter)
        #expect(merged < 0.03, "\(merged)")
        // The comparison can fail: without the adapter it does.
        let bare = try distance(nil)
        #expect(bare > 0.3, "\(bare)")
    }

    @Test("an infinite factor and an overflowing merge are refused")
    func overflow() throws {
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: 1)
        let weights = try ModelWeights(
            master: ModelInitializer.random(ModelShape.nano.configuration, seed: 1), kernels: kernels, pool: pool)
        let layout = try AdapterLayout(try AdapterConfiguration(rank: 1, alpha: 1e6), base: weights.layout)
        let adapter = AdapterWeights(layout: layout)
        adapter.values.pointer[0] = .infinity
        #expect(throws: ModelError.self) { try adapter.rounded(kernels) }
        adapter[layout.pairs[0].down].update(repeating: 1e30)
        adapter[layout.pairs[0].up].update(repeating: 1e30)
        let kept = AdapterBase(weights, adapting: layout)
        let factors = try adapter.rounded(kernels)
        #expect(throws: ModelError.self) { try weights.merge(factors, into: kept, kernels: kernels, pool: pool) }
    }
}
