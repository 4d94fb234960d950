import ArgumentParser
import Foundation
import Roles
import Tensors

/// `apus bench`.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Time this machine's arithmetic; one JSON line each.",
        discussion: "  apus bench generate --model DIR --batch 64 --prompt 64 --new 64",
        subcommands: [
            Generate.self, Prefill.self, Replay.self, Train.self, Verify.self, Matmul.self, Toploc.self, Adopt.self,
            RelayBenchCommand.self,
        ])

    struct ModelOptions: ParsableArguments {
        @Option(help: ArgumentHelp("A Hugging Face directory (default: a random nano model).", valueName: "dir"))
        var model: String?

        @Option(parsing: .unconditional, help: "Repetitions; the median is printed.")
        var repeats: Int = 3

        @OptionGroup var compute: ComputeOptions

        func validate() throws {
            guard repeats >= 1 else { throw ValidationError("--repeats must be at least 1.") }
        }

        func bench() throws -> EngineBench {
            try EngineBench(model: model, kernels: compute.kernels(), threads: compute.threadCount, repeats: repeats)
        }
    }

    struct Generate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "New tokens per second of decoding, and the prefill rate beside it.")
        @Option(parsing: .unconditional, help: "Sequences.") var batch: Int = 64
        @Option(parsing: .unconditional, help: "Prompt tokens.") var prompt: Int = 64
        @Option(parsing: .unconditional, help: "New tokens.") var new: Int = 64
        @Option(parsing: .unconditional, help: "Sequences that share a prompt; divides --batch.") var samples: Int = 1
        @Flag(help: "With commitments and TOPLOC proofs, as a worker generates.") var evidence = false
        @OptionGroup var options: ModelOptions

        func validate() throws {
            try Self.positive(batch, prompt, new, samples)
            guard batch % samples == 0 else { throw ValidationError("--samples must divide --batch.") }
        }
        func run() async throws {
            try Output.line(
                try options.bench().generate(
                    batch: batch, prompt: prompt, new: new, samples: samples, evidence: evidence))
        }

        static func positive(_ values: Int...) throws {
            guard values.allSatisfy({ $0 >= 1 }) else { throw ValidationError("Every number must be at least 1.") }
        }
    }

    struct Prefill: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prompt tokens per second, with the logits of each prompt's last position.")
        @Option(parsing: .unconditional, help: "Sequences.") var batch: Int = 4
        @Option(parsing: .unconditional, help: "Tokens of each.") var length: Int = 256
        @OptionGroup var options: ModelOptions

        func validate() throws { try Generate.positive(batch, length) }
        func run() async throws { try Output.line(try options.bench().prefill(batch: batch, length: length)) }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tokens per second of a forward pass with the log-probability of every token.")
        @Option(parsing: .unconditional, help: "Sequences.") var batch: Int = 64
        @Option(parsing: .unconditional, help: "Tokens of each.") var length: Int = 128
        @OptionGroup var options: ModelOptions

        func validate() throws { try Generate.positive(batch, length) }
        func run() async throws { try Output.line(try options.bench().replay(batch: batch, length: length)) }
    }

    struct Train: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tokens per second of a whole training step: forward, backward, clipping, AdamW.")
        @Option(parsing: .unconditional, help: "Sequences.") var batch: Int = 4
        @Option(parsing: .unconditional, help: "Tokens of each.") var length: Int = 256
        @OptionGroup var options: ModelOptions

        func validate() throws { try Generate.positive(batch, length - 1) }
        func run() async throws {
            let bench = try TrainingBench(
                model: options.model, kernels: options.compute.kernels(), threads: options.compute.threadCount,
                repeats: options.repeats)
            try Output.line(try bench.steps(batch: batch, length: length))
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Completion tokens replayed per second, with every log-probability, choice and proof.")
        @Option(parsing: .unconditional, help: "Groups.") var batch: Int = 8
        @Option(parsing: .unconditional, help: "Samples of each group.") var samples: Int = 8
        @Option(parsing: .unconditional, help: "Prompt tokens.") var prompt: Int = 64
        @Option(parsing: .unconditional, help: "Completion tokens of each sample.") var new: Int = 64
        @OptionGroup var options: ModelOptions

        func validate() throws { try Generate.positive(batch, samples, prompt, new) }
        func run() async throws {
            try Output.line(
                try options.bench().verify(groups: batch, prompt: prompt, new: new, samples: samples))
        }
    }

    struct Matmul: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "GFLOP/s of the products of a model's layers, without anything between them.")
        @Option(parsing: .unconditional, help: "Rows of the input.") var batch: Int = 64
        @Flag(help: "One layer's matrices again and again, from the caches, instead of all layers from memory.")
        var cached = false
        @OptionGroup var options: ModelOptions

        func validate() throws { try Generate.positive(batch) }
        func run() async throws { try Output.line(try options.bench().matmul(rows: batch, cached: cached)) }
    }

    struct Toploc: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Microseconds per token to build and verify proofs, on one thread.",
            discussion:
                "scripts/check-toploc-interop.py --bench measures the published package beside it, on the same file.")
        @Option(parsing: .unconditional, help: "Width of made-up activations.") var hidden: Int = 576
        @Option(parsing: .unconditional, help: "Chunks of 32 rows of made-up activations.") var chunks: Int = 256
        @Option(
            help: ArgumentHelp("Activations from a safetensors file with one bf16 tensor instead.", valueName: "file"))
        var activations: String?
        @Option(parsing: .unconditional, help: "Repetitions; the median is printed.") var repeats: Int = 5

        func validate() throws {
            try Generate.positive(hidden, chunks, repeats)
            guard hidden <= 65_536, chunks <= 65_536, hidden * chunks <= 1 << 24 else {
                throw ValidationError("--hidden times --chunks must be at most 16777216.")
            }
        }

        func run() async throws {
            let line =
                if let activations {
                    try ActivationsFile(path: activations, tensor: nil).read {
                        try ToplocBench.run($0, hidden: $1, repeats: repeats)
                    }
                } else {
                    try ToplocBench.madeUp(hidden: hidden, chunks: chunks).withUnsafeBufferPointer {
                        try ToplocBench.run($0, hidden: hidden, repeats: repeats)
                    }
                }
            try Output.line(line)
        }
    }
}
