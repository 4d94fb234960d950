// The names are those of the fixtures, which Python writes.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import Foundation
import Safetensors
import Tensors
import Testing
import Transformer

/// One golden case: a model, sequences, and what PyTorch says (scripts/make-golden-gradients.py).
struct GradientFixture {
    private struct Description: Decodable {
        struct Sequence: Decodable {
            var tokens: [Int32]
            var first_target: Int
            var slopes: [Float]
            var log_probabilities: [Float]?
            var entropies: [Float]?
        }
        var temperature: Float
        var bf16_errors: [String: Double]
        var sequences: [Sequence]
        var more_sequences: [Sequence]
    }

    let master: MasterWeights
    /// The derivative of the rounded forward pass, straight through every rounding, over `sequences`.
    let rounded: MasterWeights
    /// The derivative of the f32 model that transformers computes, over `moreSequences`.
    let plain: MasterWeights
    /// The relative error of PyTorch's own bf16 gradient, by tensor.
    let torchErrors: [String: Double]
    let sequences: [TrainingSequence]
    let slopes: [Float]
    let logProbabilities: [Float]
    let entropies: [Float]
    let moreSequences: [TrainingSequence]
    let moreSlopes: [Float]
    let temperature: Float

    /// Every family, and every switch that a backward pass sees.
    static let names = [
        "llama", "llama-untied", "llama-biased", "mistral", "qwen2", "qwen2-windowed", "qwen3", "qwen3-tempered",
        "smollm3",
    ]

    init(_ name: String) throws {
        let folder = try #require(Bundle.module.resourceURL).appending(path: "Fixtures/gradients/\(name)").path
        let configuration = try ModelDirectory.configuration(at: folder)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/case.json"))
        let description = try JSONDecoder().decode(Description.self, from: bytes)
        master = MasterWeights(configuration)
        rounded = MasterWeights(configuration)
        plain = MasterWeights(configuration)
        let file = try SafetensorsFile(path: "\(folder)/case.safetensors")
        for slice in master.layout.slices {
            let bits = try file.load("weight/\(slice.name)", as: .bfloat16, shape: slice.shape, BFloat16Bits.self)
            for index in 0..<slice.count {
                master[slice][index] = Float(bitPattern: UInt32(bits[index]) << 16)
            }
            try file.copy("rounded/\(slice.name)", as: .float32, shape: slice.shape, to: rounded[slice])
            try file.copy("plain/\(slice.name)", as: .float32, shape: slice.shape, to: plain[slice])
        }
        torchErrors = description.bf16_errors
        func read(_ list: [Description.Sequence]) -> [TrainingSequence] {
            list.map { TrainingSequence(tokens: $0.tokens, firstTarget: $0.first_target) }
        }
        sequences = read(description.sequences)
        slopes = description.sequences.flatMap(\.slopes)
        logProbabilities = description.sequences.flatMap { $0.log_probabilities ?? [] }
        entropies = description.sequences.flatMap { $0.entropies ?? [] }
        moreSequences = read(description.more_sequences)
        moreSlopes = description.more_sequences.flatMap(\.slopes)
        temperature = description.temperature
    }

    /// The graph after one backward pass of the golden loss, and what the pass found.
    func run(
        threads: Int, plan: TrainingPlan? = nil, more: Bool = false
    ) throws -> (graph: TrainingGraph, pass: TrainingPass) {
        let kernels = try Kernels.preferred()
        let pool = ComputePool(threads: threads)
        let weights = try ModelWeights(master: master, kernels: kernels, pool: pool)
        let graph = TrainingGraph(configuration: master.configuration, kernels: kernels, pool: pool, plan: plan)
        let slopes = more ? moreSlopes : slopes
        let pass = graph.run(more ? moreSequences : sequences, weights: weights, temperature: temperature) {
            target, _ in slopes[target]
        }
        return (graph, pass)
    }

    /// The norm of the difference of a tensor from a golden one, divided by the golden one's norm.
    static func error(_ slice: TensorSlice, _ found: MasterWeights, _ golden: MasterWeights) -> Double {
        var difference = 0.0
        var size = 0.0
        for (value, expected) in zip(found[slice], golden[slice]) {
            difference += (Double(value) - Double(expected)) * (Double(value) - Double(expected))
            size += Double(expected) * Double(expected)
        }
        return (difference / max(size, 1e-30)).squareRoot()
    }
}
