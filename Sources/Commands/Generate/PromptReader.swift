import ArgumentParser
import EnvironmentKit
import JSON
import Roles

/// The prompts of `apus generate` in token ids, from the command line or from JSONL.
struct PromptReader {
    /// The model's tokenizer and template, or why there is none.
    let encoder: Result<PromptEncoder, any Error>
    /// Whether a text is one message of a user.
    let chat: Bool

    func read(prompt: String?, tokens: String?, input: String?) throws -> [[Int32]] {
        if let prompt { return [try encode(prompt)] }
        if let tokens {
            let ids = tokens.split(separator: ",", omittingEmptySubsequences: false).map {
                Int32($0.filter { !$0.isWhitespace })
            }
            guard !ids.contains(nil) else { throw ValidationError("--tokens must be ids separated by commas: 1,2,3.") }
            return [ids.compactMap(\.self)]
        }
        let path = input ?? ""
        return try InputLines.values(from: path).map { line, value in
            do {
                return try encode(value)
            } catch {
                throw RoleFailure(.badInput, "\(path):\(line): \(error)")
            }
        }
    }

    private func encode(_ line: JSONValue) throws -> [Int32] {
        if let ids = line["tokens"]?.array {
            let tokens = ids.map { $0.integer.flatMap(Int32.init(exactly:)) }
            guard !tokens.contains(nil) else { throw RoleFailure(.badInput, "\"tokens\" must be a list of ids.") }
            return tokens.compactMap(\.self)
        }
        if let messages = line["messages"]?.array {
            if let fault = Conversation.fault(in: messages) { throw RoleFailure(.badInput, "\(fault).") }
            return try encoder.get().tokens(of: Conversation(messages: messages, tools: line["tools"]?.array))
        }
        if let text = line["prompt"]?.string { return try encode(text) }
        throw RoleFailure(.badInput, "this object has neither \"prompt\" nor \"tokens\" nor \"messages\".")
    }

    private func encode(_ text: String) throws -> [Int32] {
        let encoder: PromptEncoder
        do {
            encoder = try self.encoder.get()
        } catch {
            throw RoleFailure(
                .badInput, "The model has no tokenizer for text: \(error)", advice: "Give the prompt as --tokens.")
        }
        guard chat else { return encoder.tokens(of: text) }
        return try encoder.tokens(of: Conversation(messages: [["role": "user", "content": .string(text)]]))
    }
}
