import JSON

/// A prompt as messages; the lab's orchestrator renders them by the model's chat template.
public struct Conversation: Sendable, Hashable {
    /// The messages in order, each an object with `role` and `content`, perhaps `tool_calls` and more.
    public var messages: [JSONValue]
    /// JSON schemas of the tools that the model may call; nil for none.
    public var tools: [JSONValue]?
    /// Further variables of the template, such as `enable_thinking`.
    public var variables: JSONObject

    /// A conversation from its parts.
    public init(messages: [JSONValue], tools: [JSONValue]? = nil, variables: JSONObject = JSONObject()) {
        self.messages = messages
        self.tools = tools
        self.variables = variables
    }

    /// What is wrong with a list of messages; nil if nothing is.
    public static func fault(in messages: [JSONValue]) -> String? {
        guard !messages.isEmpty else { return "the list of messages is empty" }
        for message in messages {
            guard message["role"]?.string?.isEmpty == false else {
                return "every message needs the text \"role\""
            }
            switch message["content"] {
            case .string, .array: continue
            case nil where message["tool_calls"]?.array != nil: continue
            case .null where message["tool_calls"]?.array != nil: continue
            default: return "every message needs \"content\": a text, a list of parts, or null beside \"tool_calls\""
            }
        }
        return nil
    }

    /// The conversation as lines of `role: content`, then the line that the policy continues: for people, and for models
    /// without a template.
    public var plainText: String {
        messages.map { message in
            let content = message["content"]
            return "\(message["role"]?.string ?? ""): \(content?.string ?? content?.line ?? "")\n"
        }.joined() + "assistant: "
    }
}

/// How prompts become conversations: the options `chat`, `system` and `chat_options` of datasets and programs.
struct ChatOptions: Sendable {
    /// Whether a text prompt is one message of a user.
    private let wrapsText: Bool
    /// What is said first, unless the conversation has a system message of its own.
    private let system: String
    /// Further variables of the template.
    private let variables: JSONObject

    init(_ reader: inout OptionReader) throws {
        wrapsText = try reader.flag("chat", default: false)
        system = try reader.text("system", default: "")
        variables = try reader.object("chat_options")
    }

    /// The conversation of a text prompt; nil where it stays a text.
    func conversation(_ text: String) -> Conversation? {
        guard wrapsText else { return nil }
        return conversation([.object(["role": "user", "content": .string(text)])], tools: nil)
    }

    /// The conversation of messages.
    func conversation(_ messages: [JSONValue], tools: [JSONValue]?) -> Conversation {
        let isIntroduced = messages.first?["role"]?.string == "system"
        let introduction: [JSONValue] =
            system.isEmpty || isIntroduced ? [] : [.object(["role": "system", "content": .string(system)])]
        return Conversation(messages: introduction + messages, tools: tools, variables: variables)
    }
}
