import EnvironmentKit

/// Reverse a word: `swarm>` is answered by `mraws`.
struct ReverseText: GeneratedEnvironment {
    static let id = "reverse-text"
    static let summary = "Reverse three to six letters: swarm> gives mraws."

    let maximumCompletionTokens = 8

    let warmUp: WarmUpPlan? = WarmUpPlan(
        steps: 2000, correctShare: 0.35,
        note: """
            About one in three demonstrations is reversed; of the others 65 % are copied and 35 % lack a letter.
            """)

    let reinforcement = ReinforcementPlan(
        steps: 120, groupSize: 16, learningRate: 1e-3,
        expectation:
            "Held-out reward at temperature 1 goes from about 0.2 to between 0.78 and 0.95 in 100 to 150 steps."
    )

    init(options: EnvironmentOptions) throws {
        try OptionReader(options, of: Self.id).finish()
    }

    func problem(using random: inout SplitMix64) -> Problem {
        let letters = (0..<random.integer(in: 3...6)).map { _ in
            Character(Unicode.Scalar(UInt8(random.integer(in: 97...122))))
        }
        let word = String(letters)
        return Problem(prompt: word + ">", answer: String(letters.reversed()), canonicalForm: word)
    }

    func mistake(about task: EnvironmentTask, using random: inout SplitMix64) -> String {
        random.chance(0.65) ? String(task.prompt.dropLast()) : dropping(oneOf: task.answer ?? "", using: &random)
    }
}
