import ArgumentParser
import Foundation
import Generation
import Identity
import JSON
import Roles
import Sampling
import Tensors
import Tokenizers
import Transformer

/// `apus generate`.
struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Sample completions from a model; the same seed gives the same bits on every machine.",
        discussion: """
            One JSON object per completion. Sample i of a prompt does not depend on how many others are drawn, on \
            threads, or on the instruction set.

              apus generate --model runs/demo/model --prompt '31524>' --n 3
              apus generate --model DIR --chat --prompt 'Name three rivers.' --max-tokens 200
            """)

    @Option(help: ArgumentHelp("A Hugging Face directory.", valueName: "dir"))
    var model: String

    @Option(help: "The prompt as text.")
    var prompt: String?

    @Option(help: ArgumentHelp("The prompt as token ids, 1,2,3.", valueName: "ids"))
    var tokens: String?

    @Option(
        help: ArgumentHelp(
            "Lines {\"prompt\": text}, {\"tokens\": [ids]} or {\"messages\": […], \"tools\"?: […]}.",
            valueName: "file.jsonl"))
    var input: String?

    @Flag(help: "A text prompt is one message of a user, written by the model's chat template.")
    var chat = false

    @Option(parsing: .unconditional, help: "Samples of each prompt.")
    var n: Int = 1

    @Option(parsing: .unconditional, help: "Most tokens of a sample, the stop token included.")
    var maxTokens: Int = 64

    @Option(parsing: .unconditional, help: "0 is greedy, with log-probabilities at temperature 1.")
    var temperature: Float = 1

    @Option(parsing: .unconditional, help: "Only so many most probable tokens; 0 is off.")
    var topK: Int = 0

    @Option(parsing: .unconditional, help: "Only the smallest set of tokens with this probability; 1 is off.")
    var topP: Float = 1

    @Option(parsing: .unconditional, help: "Only tokens with this share of the largest probability; 0 is off.")
    var minP: Float = 0

    @Option(parsing: .unconditional, help: "The noise follows from it.")
    var seed: UInt64 = 0

    @OptionGroup var adapter: AdapterOption
    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        guard [prompt != nil, tokens != nil, input != nil].filter({ $0 }).count == 1 else {
            throw ValidationError("Give exactly one of --prompt, --tokens and --input.")
        }
        guard n >= 1, n <= 4096 else { throw ValidationError("--n must be between 1 and 4096.") }
        guard maxTokens >= 1 else { throw ValidationError("--max-tokens must be at least 1.") }
        guard temperature >= 0, temperature.isFinite else {
            throw ValidationError("--temperature must not be negative; 0 is greedy.")
        }
        guard topK >= 0 else { throw ValidationError("--top-k must not be negative; 0 is off.") }
        guard (0...1).contains(topP), (0...1).contains(minP) else {
            throw ValidationError("--top-p and --min-p must be between 0 and 1.")
        }
    }

    func run() async throws {
        let directory = try ModelDirectory(opening: model)
        let kernels = try compute.kernels()
        let pool = compute.pool()
        // Token ids need no tokenizer; whoever wants text is told what is wrong with it.
        let encoder = Result { try PromptEncoder(directory: model, configuration: directory.configuration) }
        let tokenizer = (try? encoder.get())?.tokenizer
        let prompts = try PromptReader(encoder: encoder, chat: chat).read(prompt: prompt, tokens: tokens, input: input)
        let generation = try tokenizer.map { try StartingModel.generation(of: directory, $0) } ?? directory.generation
        let parameters = SamplingParameters(
            samples: n, maximumTokens: maxTokens, temperature: temperature, topK: topK, topP: topP, minP: minP,
            stopTokens: generation.stopTokens)
        do {
            try parameters.validate(
                vocabularySize: directory.configuration.vocabularySize, allowFilters: true)
        } catch { throw RoleFailure(.badInput, "\(error)") }
        let engine = GenerationEngine(
            weights: try adapter.weights(of: directory, kernels: kernels, pool: pool), kernels: kernels, pool: pool,
            context: GenerationContext(runID: .zero, workerKey: nil, allowsFilters: true),
            limits: GenerationLimits(sequences: 256, cacheBytes: 4 << 30, configuration: directory.configuration))
        var places: [Hash256: Int] = [:]
        var finished: [Int: [SampleResult]] = [:]
        var printed = 0
        var next = 0
        while printed < prompts.count {
            while next < prompts.count, engine.pendingGroups < 512 {
                let group = Self.groupID(seed: seed, prompt: next)
                places[group] = next
                do {
                    try engine.add(GroupRequest(groupID: group, promptTokens: prompts[next], parameters: parameters))
                } catch { throw RoleFailure(.badInput, "Prompt \(next): \(error)") }
                next += 1
            }
            for group in try engine.step() {
                if let place = places[group.groupID] { finished[place] = group.samples }
            }
            // In the order of the prompts, each as soon as it can be.
            while let samples = finished.removeValue(forKey: printed) {
                for (index, sample) in samples.enumerated() {
                    Output.text(Self.line(printed, index, prompts[printed], sample, tokenizer))
                }
                printed += 1
            }
        }
    }

    /// CONTRACT: the group behind a seed and the place of a prompt.
    static func groupID(seed: UInt64, prompt: Int) -> Hash256 {
        var hash = SHA256()
        hash.update(utf8: "apus/generate/v1")
        hash.update(littleEndian: seed)
        hash.update(littleEndian: UInt32(truncatingIfNeeded: prompt))
        return hash.finalize()
    }

    private static func line(
        _ prompt: Int, _ index: Int, _ promptTokens: [Int32], _ sample: SampleResult, _ tokenizer: (any Tokenizer)?
    ) -> String {
        let text = tokenizer?.text(sample.tokens, skippingSpecial: true) ?? ""
        return "{\"prompt_index\":\(prompt),\"index\":\(index),\"prompt_tokens\":[\(JSONText.list(promptTokens))],"
            + "\"tokens\":[\(JSONText.list(sample.tokens))],\"text\":\(JSONText.string(text)),"
            + "\"logprobs\":[\(JSONText.list(sample.logProbabilities))],\"finish_reason\":\"\(sample.finishReason.rawValue)\"}"
    }
}
