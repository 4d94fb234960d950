import EnvironmentKit

/// Reach a number with three others: `358=29>` is answered by `3*8+5`.
///
/// The best showcase of a grader, and a hard task for a small policy: many answers are right, and none is copied from
/// the prompt.
struct Countdown: GeneratedEnvironment {
    static let id = "countdown"
    static let summary = "Reach the target with each of three digits once and + - *: 358=29> gives 3*8+5."

    let maximumCompletionTokens = 10

    let warmUp: WarmUpPlan? = WarmUpPlan(
        steps: 800, correctShare: 0.70, accidentalShare: 0.02,
        note: "Seven in ten demonstrations reach the target; the others are random expressions of the same digits.")

    let reinforcement = ReinforcementPlan(
        steps: 150, groupSize: 16, clipHigh: 0.28,
        expectation: "Hard: held-out reward at temperature 1 goes from about 0.23 to 0.5 in 150 steps and stays there.")

    init(options: EnvironmentOptions) throws {
        try OptionReader(options, of: Self.id).finish()
    }

    func problem(using random: inout SplitMix64) -> Problem {
        while true {
            let digits = (0..<3).map { _ in random.integer(in: 1...9) }
            let expression = randomExpression(of: digits, using: &random)
            guard let target = try? ArithmeticExpression(Array(expression.utf8)).value, target >= 0 else { continue }
            let sorted = digits.sorted().map(String.init).joined()
            return Problem(
                prompt: "\(digits.map(String.init).joined())=\(target)>", answer: expression,
                canonicalForm: "\(sorted)=\(target)")
        }
    }

    func mistake(about task: EnvironmentTask, using random: inout SplitMix64) -> String {
        randomExpression(of: task.prompt.prefix(3).compactMap(\.wholeNumberValue), using: &random)
    }

    /// 1 for any expression that uses each digit once and reaches the target; parentheses are welcome.
    func score(completion: [UInt8], finished: Bool, of task: EnvironmentTask) throws -> Double {
        let parts = task.prompt.dropLast().split(separator: "=")
        guard parts.count == 2, let target = Int(parts[1]) else {
            throw EnvironmentError(.grader, at: Self.id, "the prompt \(task.prompt) is not a countdown problem")
        }
        guard finished, let expression = try? ArithmeticExpression(Array(completion.answerBytes)) else { return 0 }
        let wanted = parts[0].compactMap(\.wholeNumberValue).sorted()
        return expression.digits.sorted() == wanted && expression.value == target ? 1 : 0
    }

    private func randomExpression(of digits: [Int], using random: inout SplitMix64) -> String {
        random.shuffled(digits).reduce(into: "") { text, digit in
            if !text.isEmpty { text += random.element(of: ["+", "-", "*"]) ?? "+" }
            text += String(digit)
        }
    }
}
