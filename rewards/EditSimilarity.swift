import EnvironmentKit

/// How much of the completion is right: 1 − edit distance / length of the longer text.
///
/// A reward with steps helps where exact answers are rare at first; where they are not, exact match learns as fast.
struct EditSimilarity: Reward {
    static let id = "edit-similarity"
    static let summary = "1 minus the edit distance to the answer, divided by the longer length; 0 if unfinished."

    /// The work is the product of both lengths; longer completions score 0 unread.
    private static let maximumBytes = 2_048

    init(options: EnvironmentOptions) throws {
        try OptionReader(options, of: Self.id).finish()
    }

    func score(completion: [UInt8], finished: Bool, of task: EnvironmentTask) throws -> Double {
        let answer = Array(try goldenAnswer(of: task, for: Self.id).utf8)
        guard answer.count <= Self.maximumBytes else {
            throw EnvironmentError(.grader, at: Self.id, "the answer of \(task.id) is longer than \(Self.maximumBytes)")
        }
        let given = completion.answerBytes
        guard finished, given.count <= Self.maximumBytes else { return 0 }
        let longer = max(given.count, answer.count)
        return longer == 0 ? 1 : 1 - Double(distance(Array(given), answer)) / Double(longer)
    }

    private func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let substitution = diagonal + (byte == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}
