import Foundation
import Safetensors
import Tensors
import Testing

@testable import Transformer

@Suite("Weights")
struct WeightsTests {
    private let kernels: Kernels
    private let pool = ComputePool(threads: 2)

    init() throws {
        kernels = try Kernels.preferred()
    }

    static func withFolder<Value>(_ body: (String) throws -> Value) throws -> Value {
        let path = NSTemporaryDirectory() + "apus-transformer-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    /// Copies, taken while the owner of the memory is certainly alive.
    private func elements(_ weights: MasterWeights) -> [Float] {
        withExtendedLifetime(weights) { Array(weights.values.buffer) }
    }

    private func elements(_ weights: ModelWeights) -> [[BFloat16Bits]?] {
        weights.layout.slices.map { weights.tensor(named: $0.name) }
    }

    @Test("initial weights follow the recipe and the seed")
    func initializer() throws {
        let configuration = ModelShape.nano.configuration
        let one = ModelInitializer.random(configuration, seed: 1)
        let again = ModelInitializer.random(configuration, seed: 1)
        let other = ModelInitializer.random(configuration, seed: 2)
        #expect(elements(one) == elements(again))
        #expect(elements(one) != elements(other))
        func deviation(_ name: String) throws -> Float {
            let values = try #require(one.tensor(named: name))
            let mean = values.reduce(0, +) / Float(values.count)
            #expect(abs(mean) < 0.01)
            return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(values.count)).squareRoot()
        }
        #expect(abs(try deviation("model.embed_tokens.weight") - 0.02) < 0.001)
        #expect(abs(try deviation("model.layers.0.self_attn.q_proj.weight") - 0.125) < 0.005)
        #expect(abs(try deviation("model.layers.1.self_attn.o_proj.weight") - 0.0625) < 0.003)
        #expect(abs(try deviation("model.layers.1.mlp.down_proj.weight") - 0.5 / 128.0.squareRoot().float) < 0.003)
        let norm = try #require(one.tensor(named: "model.layers.0.self_attn.k_norm.weight"))
        withExtendedLifetime(one) { #expect(norm.allSatisfy { $0 == 1 }) }
        #expect(one.tensor(named: "lm_head.weight") == nil)
    }

    @Test("a directory gives back the same bits and the same hash", arguments: [ModelShape.nano, .tiny])
    func directory(shape: ModelShape) throws {
        let master = ModelInitializer.random(shape.configuration, seed: 7)
        let weights = try ModelWeights(master: master, kernels: kernels, pool: pool)
        try Self.withFolder { folder in
            let path = "\(folder)/model"
            try weights.write(
                directory: path, generation: .byteLevel, companions: ["tokenizer_config.json": Array("{}\n".utf8)])
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: path).sorted()
                    == ["config.json", "generation_config.json", "model.safetensors", "tokenizer_config.json"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["model"])
            let directory = try ModelDirectory(opening: path)
            #expect(directory.configuration == shape.configuration)
            #expect(directory.generation == .byteLevel)
            try FileManager.default.removeItem(atPath: "\(path)/generation_config.json")
            // config.json holds the stop tokens too, for programs that look there.
            #expect(try ModelDirectory(opening: path).generation == .byteLevel)
            let loaded = try directory.weights(kernels: kernels, pool: pool)
            #expect(elements(loaded) == elements(weights))
            #expect(loaded.weightsHash == weights.weightsHash)
            #expect(
                try weightsHash(of: SafetensorsFile(path: "\(path)/model.safetensors").sources) == weights.weightsHash)
            #expect(try weightsHash(of: master.roundedSources(kernels)) == weights.weightsHash)
            // bf16 weights round to themselves.
            let widened = try directory.masterWeights()
            #expect(try ModelWeights(master: widened, kernels: kernels, pool: pool).weightsHash == weights.weightsHash)
            // A second write must not touch what is there.
            #expect(throws: ModelError.self) { try weights.write(directory: path, generation: .byteLevel) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["model"])
        }
    }

    @Test("an update in place gives a new hash and the bits of new weights")
    func update() throws {
        let configuration = ModelShape.nano.configuration
        let first = ModelInitializer.random(configuration, seed: 1)
        let second = ModelInitializer.random(configuration, seed: 2)
        let weights = try ModelWeights(master: first, kernels: kernels, pool: pool)
        let before = weights.weightsHash
        try weights.update(from: second, kernels: kernels, pool: pool)
        #expect(weights.weightsHash != before)
        let fresh = try ModelWeights(master: second, kernels: kernels, pool: pool)
        #expect(weights.weightsHash == fresh.weightsHash)
        #expect(weights.layers[1].gateUp[130, 5] == fresh.layers[1].gateUp[130, 5])
        second.values[3] = .nan
        let error = #expect(throws: ModelError.self) {
            try ModelWeights(master: second, kernels: kernels, pool: pool)
        }
        #expect(error?.code == .notFinite)
    }

    @Test("missing, unexpected and mis-shaped tensors are three lists in one error")
    func mismatch() throws {
        let weights = try ModelWeights(
            master: ModelInitializer.random(ModelShape.nano.configuration, seed: 0), kernels: kernels, pool: pool)
        try Self.withFolder { folder in
            var sources = weights.sources
            sources.removeAll { $0.name == "model.norm.weight" }
            sources.removeAll { $0.name == "model.layers.0.mlp.up_proj.weight" }
            sources.append(
                TensorSource(name: "model.layers.0.mlp.up_proj.weight", type: .bfloat16, shape: [1], bytes: [0, 0]))
            sources.append(TensorSource(name: "surprise", type: .uint8, shape: [1], bytes: [0]))
            sources.append(TensorSource(name: "lm_head.weight", type: .uint8, shape: [1], bytes: [0]))
            try ModelDirectory.write(
                to: "\(folder)/m", configuration: weights.configuration, generation: .byteLevel, tensors: sources)
            let directory = try ModelDirectory(opening: "\(folder)/m")
            let error = #expect(throws: ModelError.self) { try directory.weights(kernels: kernels, pool: pool) }
            let text = try #require(error?.description)
            #expect(error?.code == .tensorMismatch)
            #expect(text.contains("missing: model.norm.weight"))
            #expect(text.contains("unexpected: surprise"))
            #expect(
                text.contains("model.layers.0.mlp.up_proj.weight is BF16 [1] instead of BF16 or F16 or F32 [128, 64]"))
            #expect(text.contains("lm_head.weight is U8 [1]"))
        }
    }

    @Test("float32 files are rounded, and training reads them exactly")
    func float32() throws {
        let master = ModelInitializer.random(ModelShape.nano.configuration, seed: 3)
        try Self.withFolder { folder in
            try ModelDirectory.write(
                to: "\(folder)/m", configuration: master.configuration, generation: .byteLevel, tensors: master.sources)
            let directory = try ModelDirectory(opening: "\(folder)/m")
            let reloaded = try directory.masterWeights()
            #expect(elements(reloaded) == elements(master))
            let expected = try ModelWeights(master: master, kernels: kernels, pool: pool)
            #expect(try directory.weights(kernels: kernels, pool: pool).weightsHash == expected.weightsHash)
        }
    }

    @Test("packed panels hold the concatenated matrices")
    func packing() throws {
        let configuration = OddShape.small
        let weights = try ModelWeights(
            master: ModelInitializer.random(configuration, seed: 5), kernels: kernels, pool: pool)
        let layer = weights.layout.layers[1]
        let packed = weights.layers[1]
        let key = try #require(weights.tensor(named: layer.key.name))
        let up = try #require(weights.tensor(named: layer.up.name))
        for row in 0..<configuration.keyValueWidth {
            for column in 0..<configuration.hiddenSize {
                #expect(
                    packed.queryKeyValue[configuration.queryWidth + row, column]
                        == key[row * configuration.hiddenSize + column])
            }
        }
        #expect(packed.gateUp[configuration.intermediateSize + 3, 1] == up[3 * configuration.hiddenSize + 1])
    }

    @Test("inspection predicts what the objects take")
    func inspection() throws {
        let inspection = ModelInspection(ModelShape.s.configuration)
        #expect(inspection.parameters == 134_515_008)
        // 2 × 30 layers × 3 heads × 64 values × 2 bytes.
        #expect(inspection.cacheBytesPerPosition == 23_040)
        #expect(inspection.weightBytes >= 2 * inspection.parameters)
        #expect(100 * inspection.weightBytes < 201 * inspection.parameters)
        let shared = inspection.generation(sequences: 4, positions: 100, threads: 2)
        let alone = inspection.generation(sequences: 4, positions: 100, threads: 2, sharing: false)
        #expect(shared.sharedBytes - alone.sharedBytes == inspection.weightBytes && shared.total == alone.total)
        // 4 sequences of 7 pages of 16 positions, in slabs of 16 pages.
        #expect(shared.privateParts.first == .init(name: "cache", bytes: 32 * 16 * 23_040))
        let nano = ModelInspection(ModelShape.nano.configuration)
        #expect(nano.generation(sequences: 1, positions: 1, threads: 1).sharedParts.map(\.name) == ["program"])
        // 16 bytes of f32 and 2 of bf16 for each parameter, then activations, of which any part may be kept.
        let (all, none) = (
            inspection.trainingBytes(tokens: 512),
            inspection.trainingBytes(
                tokens: 512, plan: TrainingPlan(lanes: 0, precision: .bfloat16, activationBytes: 0))
        )
        #expect(none > 18 * inspection.parameters && all > none + 300 << 20 && all < none + 1 << 30)
        // Every lane has a sum of its own.
        let lanes = inspection.trainingBytes(
            tokens: 512, plan: TrainingPlan(lanes: 2, precision: .bfloat16, activationBytes: 0))
        #expect(lanes > none + 3 * inspection.parameters)
    }
}

extension Double {
    fileprivate var float: Float { Float(self) }
}
