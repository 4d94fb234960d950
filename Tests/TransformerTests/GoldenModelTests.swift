import Foundation
import Safetensors
import Tensors
import Testing

@testable import Transformer

/// Models saved by `transformers`, and what PyTorch computes with them (`scripts/make-golden-models.py`).
///
/// If one of these fails after a deliberate change of the script, run it again and commit its output.
@Suite("Golden models from PyTorch")
struct GoldenModelTests {
    private struct Golden {
        let directory: ModelDirectory
        let tokens: [Int32]
        let logits: [Float]
        let emulatedHidden: [Float]
        let emulatedLogits: [Float]

        init(_ family: String) throws {
            let folder = try #require(Bundle.module.resourceURL).appending(path: "Fixtures/\(family)").path
            directory = try ModelDirectory(opening: folder)
            let file = try SafetensorsFile(path: "\(folder)/golden.safetensors")
            func floats(_ name: String) throws -> [Float] {
                let shape = try #require(file.tensors[name]).shape
                let storage = try file.load(name, as: .float32, shape: shape, Float.self)
                return withExtendedLifetime(storage) { Array(storage.buffer) }
            }
            let count = try #require(file.tensors["tokens"]).shape
            let ids = try file.load("tokens", as: .int64, shape: count, Int64.self)
            tokens = (0..<ids.count).map { Int32(ids[$0]) }
            logits = try floats("logits")
            emulatedHidden = try floats("emulated_hidden")
            emulatedLogits = try floats("emulated_logits")
        }
    }

    private func difference(_ left: [Float], _ right: [Float]) -> (largest: Float, mean: Float) {
        let distances = zip(left, right).map { abs($0 - $1) }
        return (distances.max() ?? 0, distances.reduce(0, +) / Float(max(distances.count, 1)))
    }

    private func compute(
        _ weights: ModelWeights, _ tokens: [Int32], _ kernels: Kernels, _ pool: ComputePool
    ) throws -> (rows: [BFloat16Bits], logits: [Float]) {
        let decoder = Decoder(weights: weights, kernels: kernels, pool: pool)
        let cache = KeyValueCache(weights.configuration, maximumPages: 8)
        let rows = try decoder.forward(
            [Segment(cache.makeSequence(), tokens: tokens, outputs: tokens.count)], cache: cache)
        let stored = decoder.logits(rows)
        return (rows.values, withExtendedLifetime(stored) { Array(stored.buffer) })
    }

    @Test("logits are PyTorch's, up to the rounding of activations", arguments: ["qwen3", "llama"])
    func logits(family: String) throws {
        let golden = try Golden(family)
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: 1)
        let weights = try golden.directory.weights(kernels: kernels, pool: pool)
        #expect(weights.configuration.modelType == family)
        let (rows, logits) = try compute(weights, golden.tokens, kernels, pool)
        #expect(logits.count == golden.logits.count)

        // The numbers that the script prints: bf16 activations move logits by 0.013 in the mean, 0.14 at most.
        let exact = difference(logits, golden.logits)
        #expect(exact.mean < 0.02 && exact.largest < 0.25, "\(exact)")

        // The same roundings in another order of sums: now and then a value falls on the other side of a rounding.
        let hidden = rows.map { Float(bitPattern: UInt32($0) << 16) }
        let rowDifference = difference(hidden, golden.emulatedHidden)
        let emulated = difference(logits, golden.emulatedLogits)
        #expect(rowDifference.mean < 1e-4, "\(rowDifference)")
        #expect(emulated.mean < 1e-4, "\(emulated)")
    }

    @Test("a wrong constant is seen: the comparison can fail", arguments: ["qwen3", "llama"])
    func negativeControl(family: String) throws {
        let golden = try Golden(family)
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: 1)
        var wrong = golden.directory.configuration
        wrong.ropeTheta /= 100
        let weights = try ModelWeights(wrong, tensors: golden.directory.tensors, kernels: kernels, pool: pool)
        let logits = try compute(weights, golden.tokens, kernels, pool).logits
        #expect(difference(logits, golden.logits).mean > 0.03)
        #expect(difference(logits, golden.emulatedLogits).mean > 0.03)
    }
}
