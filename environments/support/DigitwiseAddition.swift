import EnvironmentKit

/// Addition of two numbers of a fixed count of digits, answered from the last digit to the first.
///
/// Writing the sum backwards lets a small policy carry as a person does on paper: every digit depends on the digits
/// already written.
protocol DigitwiseAddition: GeneratedEnvironment {
    /// How many digits each summand has; shorter numbers are padded with zeros.
    static var digits: Int { get }
}

extension DigitwiseAddition {
    var maximumCompletionTokens: Int { Self.digits + 4 }

    func problem(using random: inout SplitMix64) -> Problem {
        let bound = (0..<Self.digits).reduce(1) { power, _ in power * 10 }
        let first = random.integer(in: 0...(bound - 1))
        let second = random.integer(in: 0...(bound - 1))
        // The sorted summands are the problem: a held-out sum is not trained on with its summands swapped.
        return Problem(
            prompt: "\(padded(first, Self.digits))+\(padded(second, Self.digits))=",
            answer: String(padded(first + second, Self.digits + 1).reversed()),
            canonicalForm: "\(min(first, second))+\(max(first, second))")
    }

    func mistake(about task: EnvironmentTask, using random: inout SplitMix64) -> String {
        random.chance(0.6)
            ? sumWithoutCarries(task.prompt) : replacing(oneDigitOf: task.answer ?? "", using: &random)
    }

    /// Adds digit by digit and forgets to carry; right by accident where nothing is carried.
    private func sumWithoutCarries(_ prompt: String) -> String {
        let summands = prompt.dropLast().split(separator: "+").map { $0.reversed().compactMap(\.wholeNumberValue) }
        guard summands.count == 2 else { return "" }
        return zip(summands[0], summands[1]).map { String(($0 + $1) % 10) }.joined() + "0"
    }

    private func replacing(oneDigitOf answer: String, using random: inout SplitMix64) -> String {
        var digits = answer.compactMap(\.wholeNumberValue)
        guard !digits.isEmpty else { return answer }
        let place = random.integer(in: 0...(digits.count - 1))
        digits[place] = (digits[place] + random.integer(in: 1...9)) % 10
        return digits.map(String.init).joined()
    }

    private func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
