import Adversaries
import Roles
import Transformer

/// The prompts of an audit report: texts where the model has a tokenizer, else random ids.
struct AuditPrompts {
    let set: PromptSet
    /// Which, for the report.
    let description: String

    /// From a digit to a paragraph, so that prompts end before, at and after the ends of pages and chunks.
    private static let texts = [
        "31524>", "Name three rivers of Africa.", "7", "2 + 2 =",
        "Write a function that returns the n-th Fibonacci number, and explain in one sentence why it ends.",
        "A train leaves at 9:40 and arrives at 13:05. How long does it take? Think step by step.",
        "98172635>", "Sort these words: swift, heron, stork, owl, crane, lark, wren, gull, tern, rook.",
        """
        The common swift spends almost its whole life in the air. It eats, drinks, mates and even sleeps on the wing, and \
        touches the ground only to breed. Summarise this paragraph in five words.
        """,
        "What is the capital of Mongolia?", "14730>", "Translate into French: the bridge is closed on Sundays.",
    ]

    /// - Parameters:
    ///   - input: a file of prompts as `apus generate` takes them; nil for prompts of our own.
    ///   - room: the most tokens of a prompt.
    init(
        model: String, input: String?, _ configuration: ModelConfiguration, seed: UInt64, room: Int
    ) throws {
        let encoder = Result { try PromptEncoder(directory: model, configuration: configuration) }
        let texts = input == nil ? (try? encoder.get()).map { Self.texts.map($0.tokens(of:)) } : nil
        let given = try input.map {
            try PromptReader(encoder: encoder, chat: false).read(prompt: nil, tokens: nil, input: $0)
        }
        let known = (given ?? texts)?.map { Array($0.prefix(room)) }.filter { ids in
            !ids.isEmpty && ids.allSatisfy { $0 >= 0 && Int($0) < configuration.vocabularySize }
        }
        if let known, let set = PromptSet(known) {
            self.set = set
            description = "\(known.count) \(input == nil ? "texts" : "prompts of a file")"
        } else if let input {
            throw RoleFailure(.badInput, "\(input) holds no prompt that the model could take.")
        } else {
            let random = PromptSet(vocabularySize: configuration.vocabularySize, seed: seed)
            guard let set = PromptSet(random.prompts.map { Array($0.prefix(room)) }) else {
                throw RoleFailure(.badInput, "The model has no room for a prompt.", advice: "Lower --max-tokens.")
            }
            self.set = set
            description = "\(set.prompts.count) prompts of random ids"
        }
    }
}
