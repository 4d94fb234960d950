import JSON

/// One line of a dataset: `{"prompt": text or messages, "answer"?: any, "info"?: object, "tools"?: list}`.
public struct DatasetRow: Sendable, Hashable {
    /// What the policy reads.
    public enum Prompt: Sendable, Hashable {
        /// Plain text.
        case text(String)
        /// A conversation: messages as a chat template takes them.
        case messages([JSONValue])
    }

    /// What the policy reads.
    public var prompt: Prompt
    /// JSON schemas of the tools of a conversation; nil for none.
    public var tools: [JSONValue]?
    /// The golden answer: a text as it is, any other JSON as its canonical text.
    public var answer: String?
    /// Whatever else the grader wants to know.
    public var info: JSONValue
    /// The line in the file, from 1.
    public var line: Int

    /// Reads one line strictly.
    init(parsing bytes: ArraySlice<UInt8>, path: String, line: Int) throws(EnvironmentError) {
        func wrong(_ message: String) -> EnvironmentError {
            EnvironmentError(.dataset, at: "\(path):\(line)", message)
        }
        let value: JSONValue
        do {
            value = try JSONValue.parse(Array(bytes))
        } catch {
            throw wrong("this line is not JSON: \(error)")
        }
        guard case .object(let members) = value else {
            throw wrong("a line must be an object such as {\"prompt\": \"…\", \"answer\": \"…\"}")
        }
        if let unknown = members.names.filter({ !["prompt", "tools", "answer", "info", "id"].contains($0) }).sorted()
            .first
        {
            throw wrong("the key \"\(unknown.prefix(40))\" is unknown; put further values into \"info\"")
        }
        switch members["prompt"] {
        case .string(let text): prompt = .text(text)
        case .array(let elements):
            if let fault = Conversation.fault(in: elements) { throw wrong(fault) }
            prompt = .messages(elements)
        case nil: throw wrong("the key \"prompt\" is missing")
        case let other?: throw wrong("\"prompt\" must be a text or a list of messages, not \(other.kind)")
        }
        switch members["tools"] {
        case nil, .null: tools = nil
        case .array(let schemas): tools = schemas
        case let other?: throw wrong("\"tools\" must be a list, not \(other.kind)")
        }
        switch members["answer"] {
        case nil, .null: answer = nil
        case .string(let text): answer = text
        case let other?: answer = other.canonicalText
        }
        info = members["info"] ?? .object([:])
        guard case .object = info else { throw wrong("\"info\" must be an object, not \(info.kind)") }
        self.line = line
    }
}
