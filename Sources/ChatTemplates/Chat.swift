public import JSON

/// What a template renders: the arguments of `apply_chat_template`.
public struct Chat: Sendable, Equatable {
    /// The messages in order, each an object with `role`, usually `content`, perhaps `tool_calls` and more.
    ///
    /// As transformers does, members that are null are left out, and reasoning is given to the template under each of
    /// the names `reasoning_content` and `thinking`.
    public var messages: [JSONValue]
    /// JSON schemas of the tools that the model may call; nil for none.
    public var tools: [JSONValue]?
    /// Documents to answer from, objects with `title` and `text`; nil for none.
    public var documents: [JSONValue]?
    /// Whether the text ends where the assistant begins to speak.
    public var addGenerationPrompt: Bool
    /// Further variables, such as `enable_thinking`; they take precedence over the model's special tokens.
    public var extra: JSONObject
    /// What `strftime_now` tells; a template that asks for it fails where there is none.
    public var time: TemplateTime?

    /// A chat.
    public init(
        messages: [JSONValue], tools: [JSONValue]? = nil, documents: [JSONValue]? = nil,
        addGenerationPrompt: Bool = true, extra: JSONObject = JSONObject(), time: TemplateTime? = nil
    ) {
        self.messages = messages
        self.tools = tools
        self.documents = documents
        self.addGenerationPrompt = addGenerationPrompt
        self.extra = extra
        self.time = time
    }
}
