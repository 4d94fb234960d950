// The names are those of the fixtures, which Python writes.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import Foundation
import Safetensors
import Tensors
import Testing

@testable import Transformer

/// Derivatives of adapters against PyTorch and PEFT (scripts/make-golden-adapters.py).
@Suite("Adapter gradients") struct AdapterGradientTests {
    private struct Description: Decodable {
        struct Configuration: Decodable {
            var hiddenSize: Int
            var numHiddenLayers: Int
            var numAttentionHeads: Int
            var numKeyValueHeads: Int
            var headDim: Int
            var intermediateSize: Int
            var vocabSize: Int
            var rmsNormEps: Float
            var ropeTheta: Double
            var qkNorm: Bool
            var tieWordEmbeddings: Bool
            var temperature: Float
            var rank: Int
            var alpha: Double
            var targetModules: [String]
        }
        struct Sequence: Decodable {
            var tokens: [Int32]
            var firstTarget: Int
            var slopes: [Float]
            var logProbabilities: [Float]
        }
        var configuration: Configuration
        var sequences: [Sequence]
    }

    /// A model with an adapter, a loss, and the derivative that is right.
    private struct Case {
        let master: MasterWeights
        let adapter: AdapterWeights
        let expected: AdapterWeights
        let sequences: [TrainingSequence]
        let slopes: [Float]
        let logProbabilities: [Float]
        let temperature: Float

        /// PyTorch with the rounding points of the arithmetic and straight-through derivatives.
        init(straight name: String) throws {
            let folder = try #require(Bundle.module.resourceURL).appending(path: "Fixtures/adapters")
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            let json = try Data(contentsOf: folder.appending(path: "straight-\(name).json"))
            let description = try decoder.decode(Description.self, from: json)
            let sizes = description.configuration
            let configuration = ModelConfiguration(
                vocabularySize: sizes.vocabSize, hiddenSize: sizes.hiddenSize, layers: sizes.numHiddenLayers,
                heads: sizes.numAttentionHeads, keyValueHeads: sizes.numKeyValueHeads, headDimension: sizes.headDim,
                intermediateSize: sizes.intermediateSize, rmsEpsilon: sizes.rmsNormEps, ropeTheta: sizes.ropeTheta,
                tieEmbeddings: sizes.tieWordEmbeddings, maxPositions: 256, qkNorm: sizes.qkNorm)
            let file = try SafetensorsFile(path: folder.appending(path: "straight-\(name).safetensors").path)
            master = MasterWeights(configuration)
            for slice in master.layout.slices {
                try file.copy("weight/\(slice.name)", as: .float32, shape: slice.shape, to: master[slice])
            }
            let layout = try AdapterLayout(
                try AdapterConfiguration(rank: sizes.rank, alpha: sizes.alpha, targets: sizes.targetModules),
                base: master.layout)
            adapter = AdapterWeights(layout: layout)
            expected = AdapterWeights(layout: layout)
            for slice in layout.slices {
                try file.copy("factor/\(slice.name)", as: .float32, shape: slice.shape, to: adapter[slice])
                try file.copy("gradient/\(slice.name)", as: .float32, shape: slice.shape, to: expected[slice])
            }
            sequences = description.sequences.map { TrainingSequence(tokens: $0.tokens, firstTarget: $0.firstTarget) }
            slopes = description.sequences.flatMap(\.slopes)
            logProbabilities = description.sequences.flatMap(\.logProbabilities)
            temperature = sizes.temperature
        }

        /// PEFT in f32, unmerged.
        init(peft name: String) throws {
            let fixture = try AdapterFixture(name)
            master = try fixture.base.masterWeights()
            adapter = try fixture.adapter.weights(for: fixture.layout)
            expected = AdapterWeights(layout: adapter.layout)
            for slice in adapter.layout.slices {
                try fixture.golden.copy(
                    "gradient/\(slice.name)", as: .float32, shape: slice.shape, to: expected[slice])
            }
            sequences = [TrainingSequence(tokens: try fixture.tokens, firstTarget: 1)]
            slopes = try fixture.floats("slopes")
            logProbabilities = []
            temperature = 1
        }

        func run(
            _ plan: TrainingPlan? = nil, threads: Int = 1
        ) throws -> (gradients: AdapterWeights, pass: TrainingPass, loss: Double) {
            let kernels = try Kernels.preferred()
            let pool = ComputePool(threads: threads)
            let weights = try ModelWeights(master: master, kernels: kernels, pool: pool)
            let factors = try adapter.rounded(kernels)
            try weights.merge(
                factors, into: AdapterBase(weights, adapting: adapter.layout), kernels: kernels, pool: pool)
            let graph = TrainingGraph(
                configuration: master.configuration, adapter: adapter.layout, kernels: kernels, pool: pool, plan: plan)
            let pass = graph.run(sequences, weights: weights, adapter: factors, temperature: temperature) {
                target, _ in slopes[target]
            }
            let loss = zip(pass.logProbabilities, slopes).reduce(0) { $0 + Double($1.0) * Double($1.1) }
            return (graph.adapterGradients, pass, loss)
        }

        func error(_ found: AdapterWeights, _ slice: TensorSlice) -> Double {
            let pairs = zip(found[slice], expected[slice])
            let difference = pairs.reduce(0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
            return (difference / expected[slice].reduce(1e-30) { $0 + Double($1) * Double($1) }).squareRoot()
        }
    }

    private static let plain = TrainingPlan(lanes: 2, precision: .float32)
    private static let shared = TrainingPlan(lanes: 0, precision: .bfloat16)

    @Test("in f32, every factor has the gradient of autograd through the same roundings", arguments: ["all", "some"])
    func straightThrough(name: String) throws {
        let golden = try Case(straight: name)
        let (gradients, pass, _) = try golden.run(Self.plain)
        for (found, expected) in zip(pass.logProbabilities, golden.logProbabilities) {
            #expect(abs(found - expected) < 1e-4)
        }
        for slice in gradients.layout.slices {
            let error = golden.error(gradients, slice)
            #expect(error < 1e-4, "\(slice.name): \(error)")
        }
    }

    @Test("products in bf16 stay within a percent", arguments: ["all", "some"])
    func rounded(name: String) throws {
        let golden = try Case(straight: name)
        let (gradients, _, _) = try golden.run(Self.shared, threads: 3)
        for slice in gradients.layout.slices {
            let error = golden.error(gradients, slice)
            #expect(error < 1e-2, "\(slice.name): \(error)")
        }
        let (again, _, _) = try golden.run(Self.shared, threads: 1)
        #expect(gradients.values.buffer.map(\.bitPattern) == again.values.buffer.map(\.bitPattern))
    }

    @Test("PEFT's own gradients, which know no roundings, are near", arguments: AdapterFixture.names)
    func peft(name: String) throws {
        let golden = try Case(peft: name)
        for plan in [Self.plain, Self.shared] {
            let (gradients, _, _) = try golden.run(plan)
            let all = gradients.layout.slices.map { golden.error(gradients, $0) }
            // What rounding activations to bf16 explains in so small a model: the backward pass in f32 is no nearer.
            #expect(all.reduce(0, +) / Double(all.count) < 0.06 && (all.max() ?? 1) < 0.1, "\(all)")
        }
    }

    @Test("the loss falls along each factor's gradient at the rate of its norm")
    func finiteDifferences() throws {
        let golden = try Case(straight: "all")
        let (gradients, _, _) = try golden.run(Self.plain)
        let start = golden.adapter.values.buffer.map { $0 }
        for slice in golden.adapter.layout.slices {
            let gradient = Array(gradients[slice])
            let norm = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            let size = golden.adapter[slice].reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            func loss(_ step: Double) throws -> Double {
                for index in gradient.indices {
                    golden.adapter[slice][index] = Float(
                        Double(start[slice.offset + index]) + step * size * Double(gradient[index]) / norm)
                }
                defer {
                    for index in gradient.indices { golden.adapter[slice][index] = start[slice.offset + index] }
                }
                return try golden.run(Self.plain).loss
            }
            // Rounding makes the loss a staircase; a step of two percent averages over many stairs.
            let slope = try (loss(0.02) - loss(-0.02)) / (0.04 * size)
            #expect(abs(slope / norm - 1) < 0.2, "\(slice.name): \(slope) for \(norm)")
        }
    }
}
