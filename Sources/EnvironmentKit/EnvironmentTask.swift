import JSON

/// One problem as a policy sees it, with what a grader needs to judge the completion.
public struct EnvironmentTask: Sendable, Hashable {
    /// Names the task within its environment: the same id is always the same task.
    public var id: String
    /// The text that the completion continues.
    public var prompt: String
    /// The golden answer without any stop token, if the problem has a single one.
    public var answer: String?
    /// Whatever else the grader wants to know.
    public var info: JSONValue

    /// A task from its parts.
    public init(id: String, prompt: String, answer: String? = nil, info: JSONValue = .object([:])) {
        self.id = id
        self.prompt = prompt
        self.answer = answer
        self.info = info
    }

    /// The id of the task at a place: `train/<seed>/<index>`.
    public static func identifier(seed: UInt64, index: UInt64, split: Split) -> String {
        "\(split.rawValue)/\(seed)/\(index)"
    }
}
