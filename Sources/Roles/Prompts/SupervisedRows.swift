import EnvironmentKit
import JSON
import RunConfiguration
import Tokenizers
import Training

/// The examples of supervised training, in tokens: JSONL rows of text, of messages, or of both.
///
/// | row | learned |
/// |---|---|
/// | `{"prompt": text, "completion": text}` | the completion |
/// | `{"prompt": messages, "completion": text or messages}` | what the assistant says in the completion |
/// | `{"messages": […], "tools"?: […]}` | every turn of the assistant |
///
/// A turn of the assistant is one example: the prompt is what the policy would read before it speaks, and the completion
/// is what the template writes of the turn, up to the stop token. So the loss is on exactly the tokens that the policy
/// will have to choose.
struct SupervisedRows {
    private let prompts: PromptEncoder
    private let stopTokens: [Int32]
    private let data: DataSection

    init(prompts: PromptEncoder, stopTokens: [Int32], data: DataSection) {
        self.prompts = prompts
        self.stopTokens = stopTokens
        self.data = data
    }

    /// Reads the file.
    ///
    /// - Throws: An `EnvironmentError` that names the line.
    func read() throws -> [Demonstration] {
        var lines = try LineReader(path: data.path, maximumLineBytes: 1 << 24)
        var rows: [Demonstration] = []
        while let line = try lines.next() {
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
            let place = "\(data.path):\(lines.line)"
            do {
                for row in try demonstrations(JSONValue.parse(Array(line))) {
                    let count = row.prompt.count + row.completion.count
                    guard count <= data.maxTokens else {
                        throw RoleFailure(
                            .badInput, "the example has \(count) tokens, and data.max_tokens is \(data.maxTokens)")
                    }
                    rows.append(row)
                }
            } catch {
                throw EnvironmentError(.dataset, at: place, "\(error)")
            }
        }
        return rows
    }

    /// The examples of one row.
    func demonstrations(_ row: JSONValue) throws -> [Demonstration] {
        let tools = row["tools"]?.array
        if let messages = row["messages"]?.array {
            return try turns(of: messages, tools, from: 0)
        }
        let completion = row[data.completionKey] ?? row["completion"]
        switch (row[data.promptKey], completion) {
        case (.string(let prompt), .string(let completion)):
            return [try example(prompts.tokens(of: prompt), text: completion)]
        case (.array(let prompt), .string(let completion)):
            let answer: JSONValue = .object(["role": "assistant", "content": .string(completion)])
            return try turns(of: prompt + [answer], tools, from: prompt.count)
        case (.array(let prompt), .array(let completion)):
            return try turns(of: prompt + completion, tools, from: prompt.count)
        default:
            throw RoleFailure(
                .badInput,
                "not an example; write {\"\(data.promptKey)\": …, \"\(data.completionKey)\": …} or {\"messages\": […]} "
                    + "on one line")
        }
    }

    /// One example for each turn of the assistant from a place on.
    private func turns(of messages: [JSONValue], _ tools: [JSONValue]?, from first: Int) throws -> [Demonstration] {
        if let fault = Conversation.fault(in: messages) { throw RoleFailure(.badInput, fault) }
        let places = messages.indices.filter { $0 >= first && messages[$0]["role"]?.string == "assistant" }
        guard !places.isEmpty else { throw RoleFailure(.badInput, "no message of it is the assistant's") }
        return try places.map { place in
            let before = Conversation(messages: Array(messages[..<place]), tools: tools)
            let after = Conversation(messages: Array(messages[...place]), tools: tools)
            let prompt = Array(try prompts.text(of: before).utf8)
            let whole = Array(try prompts.text(of: after, addGenerationPrompt: false).utf8)
            guard whole.starts(with: prompt) else {
                throw RoleFailure(
                    .badInput,
                    "the chat template writes message \(place + 1) otherwise than the policy would begin it; give the "
                        + "example as prompt and completion")
            }
            return try example(
                prompts.tokenizer.encode(bytes: prompt), prompts.tokenizer.encode(bytes: Array(whole[prompt.count...])))
        }
    }

    private func example(_ prompt: [Int32], text: String) throws -> Demonstration {
        try example(prompt, prompts.tokenizer.encode(text))
    }

    /// Ends the completion with its stop token: what a template writes after it, the policy never gets to say.
    private func example(_ prompt: [Int32], _ completion: [Int32]) throws -> Demonstration {
        var completion = completion
        if let stop = completion.lastIndex(where: stopTokens.contains) {
            completion.removeSubrange((stop + 1)...)
        } else if let end = stopTokens.first {
            completion.append(end)
        }
        guard !prompt.isEmpty, !completion.isEmpty else {
            throw RoleFailure(.badInput, "prompt and completion must not be empty")
        }
        return Demonstration(prompt: prompt, completion: completion)
    }
}
