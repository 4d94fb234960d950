import Tensors
import Testing

@testable import Transformer

/// Logits of every family against PyTorch: never further from binary32 than PyTorch's own bfloat16 is.
@Suite("Families against PyTorch")
struct FamilyLogitsTests {
    /// How far logits are from a reference.
    private struct Distance {
        /// |x − y| / |y| over all logits.
        let relative: Double
        let cosine: Double

        init(_ found: [Float], _ reference: [Float]) {
            var (difference, size, other, product) = (0.0, 0.0, 0.0, 0.0)
            for (x, y) in zip(found, reference) {
                difference += Double(x - y) * Double(x - y)
                size += Double(y) * Double(y)
                other += Double(x) * Double(x)
                product += Double(x) * Double(y)
            }
            relative = (difference / size).squareRoot()
            cosine = product / (size * other).squareRoot()
        }
    }

    private func logits(
        _ fixture: FamilyFixture, row: KernelRow? = nil, _ change: (inout ModelConfiguration) -> Void = { _ in }
    ) throws -> [Float] {
        let kernels = try row.map(Kernels.init(row:)) ?? Kernels.preferred()
        let pool = ComputePool(threads: 1)
        var configuration = fixture.directory.configuration
        change(&configuration)
        let weights = try ModelWeights(
            configuration, tensors: fixture.directory.tensors, kernels: kernels, pool: pool)
        return try logits(weights, fixture.tokens, kernels, pool)
    }

    private func logits(
        _ weights: ModelWeights, _ tokens: [Int32], _ kernels: Kernels, _ pool: ComputePool
    ) throws -> [Float] {
        let decoder = Decoder(weights: weights, kernels: kernels, pool: pool)
        let cache = KeyValueCache(weights.configuration, maximumPages: 8)
        let rows = try decoder.forward(
            [Segment(cache.makeSequence(), tokens: tokens, outputs: tokens.count)], cache: cache)
        let stored = decoder.logits(rows)
        return withExtendedLifetime(stored) { Array(stored.buffer) }
    }

    @Test("logits are those of binary32, up to the rounding of activations", arguments: FamilyFixture.names)
    func logits(name: String) throws {
        let fixture = try FamilyFixture(name)
        let ours = Distance(try logits(fixture), fixture.reference)
        let theirs = Distance(fixture.rounded, fixture.reference)
        #expect(fixture.reference.count == fixture.tokens.count * fixture.directory.configuration.vocabularySize)
        #expect(ours.relative <= 2e-2, "\(ours)")
        #expect(ours.cosine >= 0.9995, "\(ours)")
        #expect(ours.relative <= 1.1 * theirs.relative, "\(ours) where PyTorch is \(theirs)")
    }

    @Test("every kernel row has the same logits", arguments: FamilyFixture.names)
    func rows(name: String) throws {
        let fixture = try FamilyFixture(name)
        let expected = try logits(fixture, row: .scalar)
        for row in KernelRow.available { #expect(try logits(fixture, row: row) == expected, "\(row)") }
    }

    @Test("a forgotten switch is seen: the comparison can fail")
    func negativeControls() throws {
        let mistakes: [(String, (inout ModelConfiguration) -> Void)] = [
            ("llama-llama3", { $0.ropeScaling = .none }), ("llama-linear", { $0.ropeScaling = .none }),
            ("llama-linear", { $0.ropeScaling = .linear(factor: 2) }),
            ("mistral-window", { ($0.slidingWindow, $0.windowedLayers) = (nil, []) }),
            ("mistral-window", { $0.slidingWindow = 20 }), ("mistral-window", { $0.slidingWindow = 18 }),
            ("qwen2-window", { $0.windowedLayers = [0, 1, 2] }), ("qwen3-window", { $0.windowedLayers = [0, 1] }),
            ("smollm3", { $0.unrotatedLayers = [] }), ("smollm3-window", { $0.unrotatedLayers = [0] }),
            ("qwen2", { $0.ropeTheta = 100 }), ("mistral", { $0.rmsEpsilon = 0.05 }),
        ]
        for (name, mistake) in mistakes {
            let fixture = try FamilyFixture(name)
            let right = Distance(try logits(fixture), fixture.reference)
            let wrong = Distance(try logits(fixture, mistake), fixture.reference)
            #expect(wrong.relative > 1.5 * right.relative, "\(name): \(wrong) instead of \(right)")
        }
    }

    @Test("every bias counts", arguments: ["llama-biases", "qwen2", "qwen3-biases", "smollm3-window"])
    func biases(name: String) throws {
        let fixture = try FamilyFixture(name)
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: 1)
        let expected = try logits(fixture)
        let layout = ParameterLayout(fixture.directory.configuration)
        let biases = layout.layers.flatMap(\.biases)
        #expect(biases.count == layout.layers.count * (name == "qwen2" ? 3 : name == "qwen3-biases" ? 4 : 7))
        for slice in biases where !slice.name.contains("k_proj") {
            let master = try fixture.directory.masterWeights()
            master[slice].update(repeating: 0)
            let weights = try ModelWeights(master: master, kernels: kernels, pool: pool)
            let changed = Distance(try logits(weights, fixture.tokens, kernels, pool), expected)
            #expect(changed.relative > 1e-3, "\(slice.name): \(changed)")
        }
    }
}
