import EnvironmentKit

/// 1 if the last number in the completion equals the answer, else 0: for answers with working before them.
struct NumericMatch: Reward {
    static let id = "numeric-match"
    static let summary = "1 if the last number in the completion equals the answer within a tolerance; else 0."

    private let tolerance: Double

    /// The option `tolerance` (default 0) is relative to the answer.
    init(options: EnvironmentOptions) throws {
        var reader = OptionReader(options, of: Self.id)
        tolerance = try reader.number("tolerance", default: 0, in: 0...1)
        try reader.finish()
    }

    func score(completion: [UInt8], finished: Bool, of task: EnvironmentTask) throws -> Double {
        let text = try goldenAnswer(of: task, for: Self.id)
        guard let answer = lastNumber(in: Array(text.utf8)[...]) else {
            throw EnvironmentError(.grader, at: Self.id, "the answer \"\(text.prefix(40))\" holds no number")
        }
        guard finished, let given = lastNumber(in: completion.answerBytes) else { return 0 }
        return abs(given - answer) <= tolerance * abs(answer) ? 1 : 0
    }

    /// The last number such as `42`, `-3.5` or `1,234` in a text.
    private func lastNumber(in bytes: ArraySlice<UInt8>) -> Double? {
        func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
        guard let end = bytes.lastIndex(where: isDigit) else { return nil }
        var start = end
        while start > bytes.startIndex, isDigit(bytes[start - 1]) || bytes[start - 1] == 46 || bytes[start - 1] == 44 {
            start -= 1
        }
        if start > bytes.startIndex, bytes[start - 1] == 45 { start -= 1 }
        guard end - start < 64 else { return nil }
        return Double(String(decoding: bytes[start...end].filter { $0 != 44 }, as: UTF8.self))
    }
}
