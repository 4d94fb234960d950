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
            var hidden_size: Int
            var num_hidden_layers: Int
            var num_attention_heads: Int
            var num_key_value_heads: Int
            var head_dim: Int
            var intermediate_size: Int
            var vocab_size: Int
            var rms_norm_eps: Float
            var rope_theta: Double
            var qk_norm: Bool
            var tie_word_embeddings: Bool
            var temperature: Float
        }
        struct Sequence: Decodable {
            var tokens: [Int32]
            var first_target: Int
            var slopes: [Float]
            var log_probabilities: [Float]
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
        description = try JSONDecoder().decode(Description.self, from: Data(contentsOf: json))
        let sizes = description.configuration
        let configuration = ModelConfiguration(
            vocabularySize: sizes.vocab_size, hiddenSize: sizes.hidden_size, layers: sizes.num_hidden_layers,
            heads: sizes.num_attention_heads, keyValueHeads: sizes.num_key_value_heads, headDimension: sizes.head_dim,
            intermediateSize: sizes.intermediate_size, rmsEpsilon: sizes.rms_norm_eps, ropeTheta: sizes.rope_theta,
            tieEmbeddings: sizes.tie_word_embeddings, maxPositions: 256, qkNorm: sizes.qk_norm)
        master = MasterWeights(configuration)
        golden = MasterWeights(configuration)
        let file = try SafetensorsFile(path: tensors.path)
        for slice in master.layout.slices {
            try file.copy("weight/\(slice.name)", as: .float32, shape: slice.shape, to: master[slice])
            try file.copy("gradient/\(slice.name)", as: .float32, shape: slice.shape, to: golden[slice])
        }
    }

    var sequences: [TrainingSequence] {
        description.sequences.map { TrainingSequence(tokens: $0.tokens, firstTarget: $0.first_target) }
    }
    var slopes: [Float] { description.sequences.flatMap(\.slopes) }
    var temperature: Float { description.configuration.temperature }

    /// The graph after one backward pass of the golden loss, and what the pass found.
    func run(threads: Int, lanes: Int? = nil) throws -> (graph: TrainingGraph, pass: TrainingPass) {
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: threads)
        let weights = try ModelWeights(master: master, kernels: kernels, pool: pool)
        let graph = TrainingGraph(configuration: master.configuration, kernels: kernels, pool: pool, lanes: lanes)
        let slopes = slopes
        let pass = graph.run(sequences, weights: weights, temperature: temperature) { target, _ in slopes[target] }
        return (graph, pass)
    }
}
