public import JSON

/// A model's chat template: Jinja source that turns messages into the text that the model reads.
///
/// It renders, byte for byte, what transformers' `apply_chat_template` renders. See `docs/chat-templates.md` for the part
/// of Jinja that is covered.
public struct ChatTemplate: Sendable {
    private let program: Program
    private let withTools: Program?
    /// The variables that the model's files define (`bos_token`, `eos_token`, …); a chat's own take precedence.
    public var specialTokens: JSONObject

    /// Reads a template.
    ///
    /// - Parameters:
    ///   - source: Jinja.
    ///   - toolUse: the template for chats with tools, where the model has one of its own.
    ///   - specialTokens: variables for every chat.
    /// - Throws: a ``TemplateError`` of kind syntax, unsupported or limit, with its place.
    public init(
        source: String, toolUse: String? = nil, specialTokens: JSONObject = JSONObject()
    ) throws(TemplateError) {
        program = try Program(source: source)
        if let toolUse { withTools = try Program(source: toolUse) } else { withTools = nil }
        self.specialTokens = specialTokens
    }

    /// The text of a chat.
    ///
    /// - Throws: a ``TemplateError``: the template refuses the chat, uses it wrongly, or exceeds the limits.
    public func render(_ chat: Chat, limits: TemplateLimits = .standard) throws(TemplateError) -> String {
        try run(chat, limits: limits, marks: false).text
    }

    /// The text of a chat with the parts that the template marks as the assistant's.
    ///
    /// - Throws: as ``render(_:limits:)``, and where `{% generation %}` stands inside a macro or another captured text,
    ///   whose place in the result is unknown.
    public func renderMarked(_ chat: Chat, limits: TemplateLimits = .standard) throws(TemplateError) -> MarkedText {
        try run(chat, limits: limits, marks: true)
    }

    private func run(_ chat: Chat, limits: TemplateLimits, marks: Bool) throws(TemplateError) -> MarkedText {
        let program = chat.tools != nil ? withTools ?? program : program
        let variables = try ChatVariables(chat, specialTokens: specialTokens)
        return try Interpreter(program, variables: variables, limits: limits, marksGeneration: marks).run()
    }
}
