// The names are those of the fixtures, which Python writes.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import Foundation
import Safetensors
import Tensors
import Testing
import Transformer

/// One golden case: a model, sequences, and what PyTorch says (scripts/make-golden-gradients.py).
struct GradientFixture {
    struct Description: Decodable {
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
        }
        struct Sequence: Decodable {
            var tokens: [Int32]
            var firstTarget: Int
            var slopes: [Float]
            var logProbabilities: [Float]
            var entropies: [Float]
        }
        var configuration: Configuration
        var sequences: [Sequence]
    }

    let description: Description
    let master: MasterWeights
    let golden: MasterWeights

    static let names = ["tied-norm", "untied-norm", "tied-plain", "untied-plain"]

    init(_ name: String) throws {
        let folder = "Fixtures/gradients"
        let json = try #require(Bundle.module.url(forResource: name, withExtension: "json", subdirectory: folder))
        let tensors = try #require(
            Bundle.module.url(forResource: name, withExtension: "safetensors", subdirectory: folder))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        description = try decoder.decode(Description.self, from: Data(contentsOf: json))
        let sizes = description.configuration
        let configuration = ModelConfiguration(
            vocabularySize: sizes.vocabSize, hiddenSize: sizes.hiddenSize, layers: sizes.numHiddenLayers,
            heads: sizes.numAttentionHeads, keyValueHeads: sizes.numKeyValueHeads, headDimension: sizes.headDim,
            intermediateSize: sizes.intermediateSize, rmsEpsilon: sizes.rmsNormEps, ropeTheta: sizes.ropeTheta,
            tieEmbeddings: sizes.tieWordEmbeddings, maxPositions: 256, qkNorm: sizes.qkNorm)
        master = MasterWeights(configuration)
        golden = MasterWeights(configuration)
        let file = try SafetensorsFile(path: tensors.path)
        for slice in master.layout.slices {
            try file.copy("weight/\(slice.name)", as: .float32, shape: slice.shape, to: master[slice])
            try file.copy("gradient/\(slice.name)", as: .float32, shape: slice.shape, to: golden[slice])
        }
    }

    var sequences: [TrainingSequence] {
        description.sequences.map { TrainingSequence(tokens: $0.tokens, firstTarget: $0.firstTarget) }
    }
    var slopes: [Float] { description.sequences.flatMap(\.slopes) }
    var temperature: Float { description.configuration.temperature }

    /// The graph after one backward pass of the golden loss, and what the pass found.
    func run(threads: Int, plan: TrainingPlan? = nil) throws -> (graph: TrainingGraph, pass: TrainingPass) {
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: threads)
        let weights = try ModelWeights(master: master, kernels: kernels, pool: pool)
        let graph = TrainingGraph(configuration: master.configuration, kernels: kernels, pool: pool, plan: plan)
        let slopes = slopes
        let pass = graph.run(sequences, weights: weights, temperature: temperature) { target, _ in slopes[target] }
        return (graph, pass)
    }
}
