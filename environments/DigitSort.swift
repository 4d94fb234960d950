import EnvironmentKit

/// Sort the digits: `83152>` is answered by `12358`.
struct DigitSort: GeneratedEnvironment {
    static let id = "digit-sort"
    static let summary = "Sort four to eight digits, smallest first: 83152> gives 12358."

    let maximumCompletionTokens = 10

    let warmUp: WarmUpPlan? = WarmUpPlan(
        steps: 1000, correctShare: 0.30,
        note: """
            Three in ten demonstrations are sorted; of the others 65 % are sorted the wrong way round, 21 % are copied \
            and 14 % lack a digit. The warmed-up policy is therefore right about one time in five, and reinforcement \
            selects the behaviour that was already there.
            """)

    let reinforcement = ReinforcementPlan(
        expectation: "Held-out reward at temperature 1 goes from about 0.21 to 0.95 in 60 steps.")

    init(options: EnvironmentOptions) throws {
        try OptionReader(options, of: Self.id).finish()
    }

    func problem(using random: inout SplitMix64) -> Problem {
        let length = random.integer(in: 4...8)
        let digits = (0..<length).map { _ in String(random.integer(in: 0...9)) }
        let answer = digits.sorted().joined()
        // The sorted digits are the problem: no permutation of a held-out problem is ever trained on.
        return Problem(prompt: digits.joined() + ">", answer: answer, canonicalForm: answer)
    }

    func mistake(about task: EnvironmentTask, using random: inout SplitMix64) -> String {
        let digits = task.prompt.dropLast()
        let draw = random.fraction()
        if draw < 0.65 { return String(digits.sorted(by: >)) }
        if draw < 0.86 { return String(digits) }
        return dropping(oneOf: task.answer ?? "", using: &random)
    }
}
