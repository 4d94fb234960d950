import ArgumentParser
import Tensors
import Transformer

/// `--adapter`, of every command that computes with a model's directory.
struct AdapterOption: ParsableArguments {
    @Option(help: ArgumentHelp("A LoRA adapter (PEFT's files) to merge into the model.", valueName: "dir"))
    var adapter: String?

    /// The weights of a model, with the adapter merged into them if one was given.
    func weights(of model: ModelDirectory, kernels: Kernels, pool: ComputePool) throws -> ModelWeights {
        try model.weights(
            adapter: try adapter.map { try AdapterDirectory(opening: $0) }, kernels: kernels, pool: pool)
    }
}
