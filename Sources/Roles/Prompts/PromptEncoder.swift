import ChatTemplates
import EnvironmentKit
import JSON
import Messages
import Tokenizers
import Transformer

/// Turns prompts into the tokens that a model reads: text by its tokenizer, messages by its chat template and then its
/// tokenizer.
///
/// Only the lab does this. Workers and verifiers get token ids.
public struct PromptEncoder: Sendable {
    /// The model's tokenizer.
    public let tokenizer: any Tokenizer
    /// The model's chat template, where it has one.
    public let template: ChatTemplate?
    /// What templates take for today.
    let time: TemplateTime?
    /// Ids of the model lie below it.
    let vocabularySize: Int
    /// Positions of the model.
    let positions: Int
    /// The model, for sentences.
    let place: String

    /// An encoder for a model of these sizes.
    public init(
        tokenizer: any Tokenizer, template: ChatTemplate? = nil, time: TemplateTime? = nil,
        configuration: ModelConfiguration, place: String
    ) {
        self.tokenizer = tokenizer
        self.template = template
        self.time = time
        self.place = place
        vocabularySize = configuration.vocabularySize
        positions = configuration.maxPositions
    }

    /// The encoder of a Hugging Face directory.
    ///
    /// - Throws: `TokenizerError` or `TemplateError` for files that cannot be used.
    public init(directory: String, configuration: ModelConfiguration, time: TemplateTime? = .now()) throws {
        self.init(
            tokenizer: try TokenizerDirectory.load(directory),
            template: try ChatTemplate.load(directory: directory), time: time, configuration: configuration,
            place: directory)
    }

    /// The ids of a text, with the special tokens that the tokenizer puts around one (a Llama's `<|begin_of_text|>`).
    public func tokens(of text: String) -> [Int32] { tokenizer.encodeWithSpecialTokens(bytes: Array(text.utf8)) }

    /// The ids of a conversation up to where the assistant begins to speak.
    ///
    /// The template writes every special token itself, so none is added.
    ///
    /// - Throws: A ``RoleFailure`` where the model has no template, `TemplateError` where the template refuses.
    public func tokens(of conversation: Conversation) throws -> [Int32] {
        tokenizer.encode(try text(of: conversation))
    }

    /// The text of a conversation, as the template writes it.
    ///
    /// - Parameter addGenerationPrompt: Whether it ends where the assistant begins to speak.
    public func text(of conversation: Conversation, addGenerationPrompt: Bool = true) throws -> String {
        guard let template else {
            throw RoleFailure(
                .badInput, "\(place) has no chat template for messages.",
                advice: "Use a model with a chat_template.jinja, or give prompts as text.")
        }
        return try template.render(
            Chat(
                messages: conversation.messages, tools: conversation.tools, addGenerationPrompt: addGenerationPrompt,
                extra: conversation.variables, time: time))
    }

    /// The longest prompt that leaves room for completions of this length, in tokens.
    public func longestPrompt(maximumTokens: Int) -> Int {
        // The last token of a completion is never fed, so it takes no position.
        min(positions - maximumTokens + 1, Limits.standard.tokens)
    }

    /// The ids of a task's prompt.
    ///
    /// - Parameter limit: Longer prompts are an error.
    /// - Throws: A ``PromptFailure`` that names the task and its row.
    public func tokens(of task: EnvironmentTask, limit: Int) throws(PromptFailure) -> [Int32] {
        let tokens: [Int32]
        do {
            tokens = try task.conversation.map { try self.tokens(of: $0) } ?? self.tokens(of: task.prompt)
        } catch {
            throw PromptFailure(task, .unreadable, "\(error)")
        }
        guard !tokens.isEmpty else { throw PromptFailure(task, .unreadable, "The prompt has no tokens.") }
        guard tokens.count <= limit else {
            throw PromptFailure(task, .tooLong, "The prompt has \(tokens.count) tokens, and \(limit) are the limit.")
        }
        if let id = tokens.first(where: { $0 < 0 || Int($0) >= vocabularySize }) {
            throw PromptFailure(
                task, .unreadable,
                "The tokenizer gives the id \(id), and the model has \(vocabularySize) ids; they do not belong together."
            )
        }
        return tokens
    }
}

/// A task whose prompt cannot be given to a model.
public struct PromptFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Kind: Sendable, Hashable {
        /// It leaves no room for a completion, or is over the run's own limit.
        case tooLong
        /// It cannot be made into tokens of the model.
        case unreadable
    }

    /// What kind of failure it is.
    public let kind: Kind
    /// Which task, and where its author finds it.
    public let place: String
    /// What is wrong.
    public let sentence: String

    init(_ task: EnvironmentTask, _ kind: Kind, _ sentence: String) {
        self.kind = kind
        place = task.origin.map { "\($0) (task \(task.id))" } ?? "task \(task.id)"
        self.sentence = sentence
    }

    /// Where and what.
    public var description: String { "\(place): \(sentence)" }
}
