import JSON

/// One problem as a policy sees it, with what a grader needs to judge the completion.
public struct EnvironmentTask: Sendable, Hashable {
    /// Names the task within its environment: the same id is always the same task.
    public var id: String
    /// The text that the completion continues; of a conversation, its plain text for people.
    public var prompt: String
    /// The prompt as messages, where the model's chat template makes the text of them.
    public var conversation: Conversation?
    /// The golden answer without any stop token, if the problem has a single one.
    public var answer: String?
    /// Whatever else the grader wants to know.
    public var info: JSONValue
    /// Where its author finds it, such as `problems.jsonl:17`; nil where its id says enough.
    public var origin: String?

    /// A task from its parts.
    public init(
        id: String, prompt: String, conversation: Conversation? = nil, answer: String? = nil,
        info: JSONValue = .object([:]), origin: String? = nil
    ) {
        self.id = id
        self.prompt = prompt
        self.conversation = conversation
        self.answer = answer
        self.info = info
        self.origin = origin
    }

    /// The id of the task at a place: `train/<seed>/<index>`.
    public static func identifier(seed: UInt64, index: UInt64, split: Split) -> String {
        "\(split.rawValue)/\(seed)/\(index)"
    }
}
