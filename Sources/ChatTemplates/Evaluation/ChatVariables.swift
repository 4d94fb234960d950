import JSON

/// The variables that a template sees, as transformers passes them.
struct ChatVariables {
    private(set) var values: [String: Value] = [:]
    let time: TemplateTime?

    /// - Throws: a ``TemplateError`` of kind input for a chat without messages, a message that is no object, or an
    ///   extra variable with the name of an argument.
    init(_ chat: Chat, specialTokens: JSONObject) throws(TemplateError) {
        guard !chat.messages.isEmpty else { throw TemplateError(.input, "a chat needs at least one message") }
        time = chat.time
        for member in specialTokens.members { values[member.name] = try ChatVariables.value(member.value) }
        for member in chat.extra.members {
            guard !["messages", "tools", "documents", "add_generation_prompt"].contains(member.name) else {
                throw TemplateError(.input, "\"\(member.name)\" is given as an argument, not as an extra variable")
            }
            values[member.name] = try ChatVariables.value(member.value)
        }
        var messages: [Value] = []
        for (index, message) in chat.messages.enumerated() {
            guard let object = message.object else {
                throw TemplateError(.input, "message \(index + 1) is no object")
            }
            messages.append(try ChatVariables.message(object))
        }
        values["messages"] = .list(messages)
        values["tools"] = try ChatVariables.objects(chat.tools, "tool")
        values["documents"] = try ChatVariables.objects(chat.documents, "document")
        values["add_generation_prompt"] = .bool(chat.addGenerationPrompt)
    }

    private static func objects(_ objects: [JSONValue]?, _ noun: String) throws(TemplateError) -> Value {
        guard let objects else { return .none }
        for (index, object) in objects.enumerated() where object.object == nil {
            throw TemplateError(.input, "\(noun) \(index + 1) is no object")
        }
        return try value(.array(objects))
    }

    /// A message without members that are null, its reasoning under each name that templates read.
    private static func message(_ object: JSONObject) throws(TemplateError) -> Value {
        var members = object.members.filter { $0.value != .null }
        let reasoning = ["reasoning_content", "thinking", "reasoning"].lazy.compactMap { name in
            members.first { $0.name == name }?.value
        }.first
        if let reasoning {
            // The name comes first; a value that the message has under it stays.
            let thinking = members.firstIndex { $0.name == "thinking" }.map { members.remove(at: $0) }
            members.insert(thinking ?? JSONMember("thinking", reasoning), at: 0)
            if !members.contains(where: { $0.name == "reasoning_content" }) {
                members.append(JSONMember("reasoning_content", reasoning))
            }
        }
        return try value(.object(JSONObject(members)))
    }

    private static func value(_ json: JSONValue, depth: Int = 1) throws(TemplateError) -> Value {
        guard depth <= TemplateLimits.valueDepth - 8 else {
            throw TemplateError(.input, "the chat is nested deeper than \(TemplateLimits.valueDepth - 8) levels")
        }
        switch json {
        case .null: return .none
        case .bool(let value): return .bool(value)
        case .integer(let value): return .integer(value)
        case .number(let value): return .float(value)
        case .string(let text): return .string(Text(text))
        case .array(let elements):
            var items: [Value] = []
            items.reserveCapacity(elements.count)
            for element in elements { items.append(try value(element, depth: depth + 1)) }
            return .list(items)
        case .object(let object):
            let mapping = Mapping()
            for member in object.members {
                mapping.set(Text(member.name), to: try value(member.value, depth: depth + 1))
            }
            return .dictionary(mapping)
        }
    }
}
