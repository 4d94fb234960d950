import JSON

/// The words of the protocol between the lab and an environment program; `docs/environments.md` explains them.
enum ProgramMessages {
    /// The version that `describe` announces to the program.
    static let version = 1

    /// A question as one line of JSON.
    static func question(_ id: Int, _ method: String, _ members: JSONObject) -> [UInt8] {
        var object = members
        object["id"] = .integer(id)
        object["method"] = .string(method)
        return Array(JSONValue.object(object).canonicalText.utf8)
    }

    /// The result within an answer.
    ///
    /// - Throws: When the answer is not for this question, or reports an error: never a reward.
    static func result(of answer: [UInt8], to id: Int, from place: String) throws -> JSONValue {
        func fault(_ message: String) -> EnvironmentError { EnvironmentError(.program, at: place, message) }
        let value: JSONValue
        do {
            value = try JSONValue.parse(answer)
        } catch {
            let shown = String(decoding: answer.prefix(80), as: UTF8.self)
            throw fault("the program wrote \"\(shown)\", which is not JSON; only answers belong on standard output")
        }
        guard value["id"] == .integer(id) else { throw fault("the program answered another question than \(id)") }
        if let error = value["error"], error != .null {
            throw EnvironmentError(
                .grader, at: place, "the program reports: \(error["message"]?.string ?? error.canonicalText)")
        }
        guard let result = value["result"] else { throw fault("an answer needs \"result\" or \"error\"") }
        return result
    }

    /// The task within a result.
    static func task(_ result: JSONValue, id: String, chat: ChatOptions, from place: String) throws -> EnvironmentTask {
        let prompt: String
        let conversation: Conversation?
        switch result["prompt"] {
        case .string(let text) where !text.isEmpty:
            prompt = text
            conversation = chat.conversation(text)
        case .array(let messages):
            if let fault = Conversation.fault(in: messages) {
                throw EnvironmentError(.program, at: place, "task \(id): \(fault)")
            }
            prompt = Conversation(messages: messages).plainText
            conversation = chat.conversation(messages, tools: result["tools"]?.array)
        default: throw EnvironmentError(.program, at: place, "a task needs a \"prompt\": a text or a list of messages")
        }
        let answer: String?
        switch result["answer"] {
        case nil, .null: answer = nil
        case .string(let text): answer = text
        case let other?: answer = other.canonicalText
        }
        return EnvironmentTask(
            id: id, prompt: prompt, conversation: conversation, answer: answer, info: result["info"] ?? .object([:]),
            origin: "\(place), task \(id)")
    }

    /// The reward within a result.
    static func reward(_ result: JSONValue, from place: String) throws -> Double {
        guard let reward = result["reward"]?.double, (0...1).contains(reward) else {
            throw EnvironmentError(.grader, at: place, "a score needs the number \"reward\" from 0 to 1")
        }
        return reward
    }
}
