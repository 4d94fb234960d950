import ArgumentParser
import EnvironmentKit
import Roles
import Tensors

/// `apus eval`.
struct EvalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "How well a model does on an environment's held-out problems.",
        discussion: """
              apus eval --model runs/demo/model --env digit-sort -n 256 -k 4
              apus eval --model DIR --env dataset:problems.jsonl --option reward=numeric-match --max-tokens 512
            """)

    @Option(help: ArgumentHelp("A Hugging Face directory.", valueName: "dir"))
    var model: String

    @Option(help: ArgumentHelp(EnvironmentChoice.help, valueName: "name"))
    var env: String

    @OptionGroup var choice: EnvironmentChoice

    @Option(name: .customShort("n"), parsing: .unconditional, help: "Problems.")
    var problems: Int = 128

    @Option(name: .customShort("k"), parsing: .unconditional, help: "Attempts at each.")
    var attempts: Int = 1

    @Option(parsing: .unconditional, help: "0 is greedy.")
    var temperature: Float = 1

    @Option(parsing: .unconditional, help: "Most tokens of a completion (default: the environment's own limit).")
    var maxTokens: Int?

    @Option(parsing: .unconditional, help: "Chooses problems and noise.")
    var seed: UInt64 = 0

    @OptionGroup var adapter: AdapterOption
    @OptionGroup var compute: ComputeOptions

    private struct Result: Encodable {
        let meanReward: Double
        let spread: Double
        let passAtK: [String: Double]
        let passAllK: [String: Double]
        let problems: Int
        let attempts: Int
        let samples: [Sample]
    }

    private struct Sample: Encodable {
        let prompt: String
        let completion: String
        let reward: Double
    }

    func validate() throws {
        guard problems >= 1, attempts >= 1 else { throw ValidationError("-n and -k must be at least 1.") }
        guard maxTokens ?? 1 >= 1 else { throw ValidationError("--max-tokens must be at least 1.") }
        guard temperature >= 0 else { throw ValidationError("--temperature must not be negative.") }
    }

    func run() async throws {
        var evaluation = PolicyEvaluation(
            environment: try await choice.open(env), prompts: problems, attempts: attempts, temperature: temperature,
            seed: seed)
        evaluation.maximumTokens = maxTokens
        let drawn = try await evaluation.run(
            modelDirectory: model, adapterDirectory: adapter.adapter, kernels: try compute.kernels(),
            pool: compute.pool())
        var rewards = [[Double]](repeating: [], count: problems)
        for attempt in drawn { rewards[attempt.prompt].append(attempt.reward) }
        guard let rates = PassRates(rewards: rewards) else { throw RoleFailure(.fault, "No attempts were made.") }
        var powers: [Int] = []
        var power = 1
        while power <= attempts {
            powers.append(power)
            power *= 2
        }
        let names = powers.map { ("\($0)", $0) }
        try Output.line(
            Result(
                meanReward: rates.mean, spread: rates.spread,
                passAtK: Dictionary(uniqueKeysWithValues: names.map { ($0.0, rates.passAt($0.1)) }),
                passAllK: Dictionary(uniqueKeysWithValues: names.map { ($0.0, rates.passAll($0.1)) }),
                problems: problems,
                attempts: attempts,
                samples: drawn.prefix(5).map {
                    Sample(prompt: $0.promptText, completion: $0.completion, reward: $0.reward)
                }))
    }
}
