import ArgumentParser
import Foundation
import Roles
import RunConfiguration

/// `apus sft`.
struct SFTCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sft",
        abstract: "Supervised warm-up on JSONL: the loss is on completions only.",
        discussion: """
            Writes a Hugging Face directory to DIRECTORY/model, or, with training.lora.rank above 0, a LoRA adapter \
            in PEFT's layout to DIRECTORY/adapter.

              apus sft @ configs/sft.toml --training.steps 200
            """)

    @Argument(
        parsing: .allUnrecognized,
        help: ArgumentHelp("@ sft.toml, then --section.key value to override.", valueName: "@ sft.toml"))
    var words: [String] = []

    @Flag(help: "Print the resolved file and stop.")
    var dryRun = false

    @OptionGroup var compute: ComputeOptions

    func run() async throws {
        let arguments = try RunArguments(parsing: words)
        if let word = arguments.remaining.first { throw ValidationError("Unknown argument \(word).") }
        guard !arguments.files.isEmpty else { throw ValidationError("Name a file: @ sft.toml") }
        let file = try SupervisedFile.load(files: arguments.files, overrides: arguments.overrides)
        if dryRun {
            print(file.toml, terminator: "")
            return
        }
        let terminal = Terminal()
        let job = SupervisedJob(file: file, kernels: try compute.kernels(), pool: compute.pool())
        let output = try job.run { step, steps, loss, tokensPerSecond, secondsLeft in
            terminal.say(
                "step \(step) of \(steps)   loss \(Terminal.fixed(loss, 4))   \(Terminal.short(tokensPerSecond)) tokens/s   "
                    + "\(Terminal.fixed(secondsLeft, 0)) s left")
        }
        terminal.say(output)
    }
}
