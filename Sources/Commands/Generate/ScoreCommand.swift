import ArgumentParser
import Foundation
import JSON
import Roles
import Tensors
import Transformer

/// `apus score`.
struct ScoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "The log-probability of every token given those before it; equal to the sampler's, to the bit.",
        discussion: """
            Input lines {"tokens": [ids]}; output lines {"logprobs": [null, …]}, natural logarithms.

              apus score --model runs/demo/model --input tokens.jsonl
            """)

    @Option(help: ArgumentHelp("A Hugging Face directory.", valueName: "dir"))
    var model: String

    @Option(help: ArgumentHelp("Lines {\"tokens\": [ids]}.", valueName: "file.jsonl"))
    var input: String

    @Option(parsing: .unconditional, help: "What logits are divided by; 0 counts as 1.")
    var temperature: Float = 1

    @OptionGroup var adapter: AdapterOption
    @OptionGroup var compute: ComputeOptions

    /// Positions computed in one forward pass.
    private static let chunk = 2048

    func validate() throws {
        guard temperature >= 0, temperature.isFinite else {
            throw ValidationError("--temperature must not be negative.")
        }
    }

    func run() async throws {
        let directory = try ModelDirectory(opening: model)
        let kernels = try compute.kernels()
        let decoder = Decoder(
            weights: try adapter.weights(of: directory, kernels: kernels, pool: compute.pool()), kernels: kernels,
            pool: compute.pool())
        for (line, value) in try InputLines.values(from: input) {
            let tokens = (value["tokens"]?.array ?? []).map { $0.integer.flatMap(Int32.init(exactly:)) }
            guard value["tokens"]?.array != nil, !tokens.contains(nil) else {
                throw RoleFailure(.badInput, "\(input):\(line): \"tokens\" must be a list of ids.")
            }
            let ids = tokens.compactMap(\.self)
            let values: [Float]
            do {
                values = try score(ids, decoder, directory.configuration)
            } catch {
                throw RoleFailure(.badInput, "\(input):\(line): \(error)")
            }
            let texts = ["null"] + values.map { JSONText.number($0) ?? "null" }
            Output.text("{\"logprobs\":[\(ids.isEmpty ? "" : texts.joined(separator: ","))]}")
        }
    }

    private func score(_ tokens: [Int32], _ decoder: Decoder, _ configuration: ModelConfiguration) throws -> [Float] {
        guard tokens.count > 1 else { return [] }
        let cache = KeyValueCache(configuration, maximumPages: (tokens.count + 15) / 16 + 1)
        let sequence = cache.makeSequence()
        var values: [Float] = []
        var start = 0
        while start < tokens.count - 1 {
            let end = min(start + Self.chunk, tokens.count - 1)
            let rows = try decoder.forward(
                [Segment(sequence, tokens: tokens[start..<end], outputs: end - start)], cache: cache)
            values += try decoder.logProbabilities(rows, tokens: tokens[start + 1..<end + 1], temperature: temperature)
            start = end
        }
        return values
    }
}
