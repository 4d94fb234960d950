import EnvironmentKit

/// 1 if the text within the last `<answer>…</answer>` is the answer, else 0.
///
/// Nothing is given for the tags alone: a reward for the form is learned first and hides that the answers are wrong.
struct TaggedAnswer: Reward {
    static let id = "tagged-answer"
    static let summary = "1 if the text within the last <answer>...</answer> is the answer; else 0."

    private let opening: [UInt8]
    private let closing: [UInt8]

    /// The option `tag` (default `answer`) names the tag.
    init(options: EnvironmentOptions) throws {
        var reader = OptionReader(options, of: Self.id)
        let tag = try reader.text("tag", default: "answer")
        try reader.finish()
        opening = Array("<\(tag)>".utf8)
        closing = Array("</\(tag)>".utf8)
    }

    func score(completion: [UInt8], finished: Bool, of task: EnvironmentTask) throws -> Double {
        let answer = try goldenAnswer(of: task, for: Self.id)
        guard finished, let end = last(closing, in: completion[...]),
            let start = last(opening, in: completion[..<end])
        else { return 0 }
        return trimmed(completion[(start + opening.count)..<end]) == trimmed(Array(answer.utf8)[...]) ? 1 : 0
    }

    /// Where the last occurrence of a word begins.
    private func last(_ word: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= word.count else { return nil }
        return stride(from: bytes.endIndex - word.count, through: bytes.startIndex, by: -1).first {
            bytes[$0] == word[0] && bytes[$0..<($0 + word.count)].elementsEqual(word)
        }
    }
}
