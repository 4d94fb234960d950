import ArgumentParser
import Foundation
import Roles
import Tensors
import Tokenizers
import Transformer

/// `apus model`.
struct ModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Make a random model, look into one, or merge an adapter into one.",
        subcommands: [New.self, Inspect.self, ModelMergeCommand.self])

    struct New: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a random model in Hugging Face layout.",
            discussion: """
                nano has 82k parameters (the demo's), tiny about 1 M, small about 15 M; s and q are the shapes of \
                SmolLM2-135M and Qwen3-0.6B.
                """)

        @Option(help: ArgumentHelp("nano, tiny, small, s or q.", valueName: "name"))
        var shape: String

        @Option(help: ArgumentHelp("A directory that does not exist yet.", valueName: "dir"))
        var out: String

        @Option(parsing: .unconditional, help: "The same seed gives the same weights on every machine.")
        var seed: UInt64 = 0

        @OptionGroup var compute: ComputeOptions

        func run() async throws {
            guard let shape = ModelShape(rawValue: shape) else {
                throw ValidationError(
                    "There is no shape \(shape); choose \(ModelShape.allCases.map(\.rawValue).joined(separator: ", "))."
                )
            }
            let configuration = shape.configuration
            guard let tokenizer = ByteLevelTokenizer(vocabularySize: configuration.vocabularySize) else {
                throw RoleFailure(.fault, "Shape \(shape.rawValue) has no tokenizer.")
            }
            let weights = try ModelWeights(
                master: ModelInitializer.random(configuration, seed: seed), kernels: try compute.kernels(),
                pool: compute.pool())
            try StartingModel.write(weights, tokenizer: tokenizer, generation: .byteLevel, to: out)
            Output.text("\(out): \(weights.layout.parameterCount) parameters, weights hash \(weights.weightsHash)")
        }
    }
}
