public import JSON

/// What lies between the tokens that a model sampled and its next generation prompt.
///
/// Between the turns of a conversation the model's output stays the tokens that were sampled; only the text around it is
/// rendered and encoded. A bridge renders the conversation with the reply and what follows it, checks that everything
/// before the reply is what the model was given, and cuts out the text behind the reply:
///
///     tokens so far, prompt included | sampled tokens | encode(bridge.text(endingWith: "<|im_end|>"))
///
/// A template that renders earlier turns differently once a new one follows (Qwen3 drops earlier reasoning) cannot be
/// continued this way. That is an error of kind ``TemplateError/Kind/rewritesHistory``, which names the first place
/// that differs.
public struct ChatBridge: Sendable, Equatable {
    /// Everything behind the reply: the end of the assistant's turn as the template writes it, the turns that follow,
    /// and the next generation prompt.
    public let textBehindReply: String

    /// Finds the text behind a reply.
    ///
    /// - Parameters:
    ///   - template: the model's template.
    ///   - chat: the conversation that the model was given, ending with a generation prompt.
    ///   - reply: what the model said, without its stop token. White space at its ends may differ from the template's:
    ///     the model's tokens stay as they are.
    ///   - message: the reply as a message, for templates that want tool calls as objects; by default its text as
    ///     `content` of the role `assistant`.
    ///   - following: the messages behind the reply, up to the next generation prompt.
    ///   - limits: the limits of each rendering.
    /// - Throws: a ``TemplateError``.
    public init(
        template: ChatTemplate, chat: Chat, reply: String, message: JSONValue? = nil, following: [JSONValue],
        limits: TemplateLimits = .standard
    ) throws(TemplateError) {
        guard chat.addGenerationPrompt else {
            throw TemplateError(.input, "a bridge begins at a chat that ends with a generation prompt")
        }
        let before = Text(try template.render(chat, limits: limits))
        var longer = chat
        longer.messages.append(message ?? ["role": "assistant", "content": .string(reply)])
        longer.messages += following
        let after = Text(try template.render(longer, limits: limits))
        let shared = ChatBridge.sharedCount(before, after)
        guard shared == before.count else {
            throw ChatBridge.rewritten(at: shared, of: before, into: after, "what the model was given")
        }
        textBehindReply = try ChatBridge.rest(of: after, from: before.count, behind: Text(reply)).string
    }

    /// What to encode behind the sampled tokens.
    ///
    /// - Parameter stop: the text of the stop token that ends the sampled tokens; nil where they end without one.
    /// - Throws: a ``TemplateError`` where the template ends the assistant's turn with something else.
    public func text(endingWith stop: String?) throws(TemplateError) -> String {
        guard let stop, !stop.isEmpty else { return textBehindReply }
        let text = Text(textBehindReply)
        // White space that the template writes before its stop token is not in the sampled tokens: it goes with it.
        for candidate in [text, text.stripped(of: nil, start: true, end: false)] where candidate.hasPrefix(Text(stop)) {
            return candidate[Text(stop).count..<candidate.count].string
        }
        throw TemplateError(
            .rewritesHistory,
            "the model ended its turn with \(ChatBridge.quoted(Text(stop), from: 0)), the template with "
                + ChatBridge.quoted(text, from: 0))
    }

    private static func sharedCount(_ left: Text, _ right: Text) -> Int {
        zip(left.scalars, right.scalars).prefix { $0 == $1 }.count
    }

    /// The text behind the reply, whose ends may differ in white space.
    private static func rest(of text: Text, from start: Int, behind reply: Text) throws(TemplateError) -> Text {
        let tail = text[start..<text.count]
        if tail.hasPrefix(reply) { return tail[reply.count..<tail.count] }
        let trimmed = tail.stripped(of: nil, start: true, end: false)
        for candidate in [
            reply.stripped(of: nil, start: true, end: false), reply.stripped(of: nil, start: true, end: true),
        ] where trimmed.hasPrefix(candidate) {
            return trimmed[candidate.count..<trimmed.count]
        }
        let core = reply.stripped(of: nil, start: true, end: true)
        throw rewritten(at: sharedCount(core, trimmed), of: core, into: trimmed, "what the model said")
    }

    private static func rewritten(at place: Int, of old: Text, into new: Text, _ what: String) -> TemplateError {
        TemplateError(
            .rewritesHistory,
            "the template rewrites \(what) once a turn follows: at character \(place + 1) "
                + "\(quoted(old, from: place)) becomes \(quoted(new, from: place)); "
                + "such a conversation cannot be continued by tokens")
    }

    private static func quoted(_ text: Text, from place: Int) -> String {
        let end = min(text.count, place + 40)
        guard place < end else { return "the end" }
        return "\"" + text[place..<end].string + (end < text.count ? "…\"" : "\"")
    }
}
