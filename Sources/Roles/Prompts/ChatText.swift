import ChatTemplates
import EnvironmentKit
import JSON

/// The chat template of a directory, for `apus tokenize --chat`: a directory that holds a tokenizer only is fine.
public struct ChatText: Sendable {
    private let template: ChatTemplate

    /// Reads the template of a directory.
    ///
    /// - Throws: A ``RoleFailure`` where there is none, `TemplateError` for one that cannot be used.
    public init(directory: String) throws {
        guard let template = try ChatTemplate.load(directory: directory) else {
            throw RoleFailure(
                .badInput, "\(directory) has no chat template.",
                advice: "Leave --chat out, or put a chat_template.jinja there.")
        }
        self.template = template
    }

    /// The text of one line: a JSON array of messages, or an object with `messages` and perhaps `tools`; further members
    /// are variables of the template.
    public func text(line: [UInt8]) throws -> String {
        let value = try JSONValue.parse(line)
        guard let messages = value.array ?? value["messages"]?.array else {
            throw RoleFailure(.badInput, "write a JSON array of messages, or {\"messages\": […], \"tools\": […]}.")
        }
        if let fault = Conversation.fault(in: messages) { throw RoleFailure(.badInput, "\(fault).") }
        let variables = (value.object ?? JSONObject()).filter { !["messages", "tools"].contains($0.name) }
        return try template.render(
            Chat(
                messages: messages, tools: value["tools"]?.array, addGenerationPrompt: true,
                extra: JSONObject(variables), time: .now()))
    }
}
