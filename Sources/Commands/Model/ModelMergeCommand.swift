import ArgumentParser
import Roles
import Tensors
import Transformer

/// `apus model merge`.
struct ModelMergeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Write a model with a LoRA adapter merged into it, the bits that workers compute with.",
        discussion: """
            The result is a Hugging Face directory with the model's own tokenizer files.

              apus model merge --model base --adapter runs/lora/adapter --out merged
            """)

    @Option(help: ArgumentHelp("A Hugging Face directory.", valueName: "dir"))
    var model: String

    @Option(
        help: ArgumentHelp("An adapter's directory: adapter_config.json, adapter_model.safetensors.", valueName: "dir"))
    var adapter: String

    @Option(help: ArgumentHelp("A directory that does not exist yet.", valueName: "dir"))
    var out: String

    @OptionGroup var compute: ComputeOptions

    func run() async throws {
        let base = try ModelDirectory(opening: model)
        let weights = try base.weights(
            adapter: try AdapterDirectory(opening: adapter), kernels: try compute.kernels(), pool: compute.pool())
        try StartingModel.write(weights, asChangeOf: base, to: out)
        Output.text("\(out): weights hash \(weights.weightsHash)")
    }
}
