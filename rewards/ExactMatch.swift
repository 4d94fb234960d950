import EnvironmentKit

/// 1 if the completion is exactly the answer and ends with the stop token, else 0.
struct ExactMatch: Reward {
    static let id = "exact-match"
    static let summary = "1 if the completion is exactly the answer, then the stop token; else 0."

    private let ignoringSpace: Bool

    /// The option `trim` (default false) ignores white space around both texts.
    init(options: EnvironmentOptions) throws {
        var reader = OptionReader(options, of: Self.id)
        ignoringSpace = try reader.flag("trim", default: false)
        try reader.finish()
    }

    func score(completion: [UInt8], finished: Bool, of task: EnvironmentTask) throws -> Double {
        let answer = try goldenAnswer(of: task, for: Self.id)
        guard finished else { return 0 }
        let (given, wanted) = (completion.answerBytes, Array(answer.utf8)[...])
        let equal = ignoringSpace ? trimmed(given) == trimmed(wanted) : given == wanted
        return equal ? 1 : 0
    }
}
