/// An environment without code: prompts and answers from a JSONL file, judged by a reward.
///
/// In a run file:
///
///     [environment]
///     name = "dataset"
///     options = { path = "problems.jsonl", reward = "exact-match", max_tokens = 32 }
///
/// One row in ten is held out, by the hash of its prompt, unless `held_out_path` names a file of its own. Every row
/// of a split comes once in each pass over it, in an order that the run's seed decides.
public struct DatasetEnvironment: Environment {
    /// The name in run files.
    public static let id = "dataset"
    /// One sentence for people.
    public static let summary = "Prompts and answers from a JSONL file, judged by a reward."

    /// The options in force, with the hash of the data.
    public let options: EnvironmentOptions
    /// The limit of completions, the stop token included.
    public let maximumCompletionTokens: Int

    private let rows: [Split: [DatasetRow]]
    private let template: String
    private let writesPlainly: Bool
    private let chat: ChatOptions
    private let path: String
    private let heldOutPath: String
    private let reward: any Reward

    /// A dataset judged by exact match.
    public init(options: EnvironmentOptions) throws {
        try self.init(options: options, rewards: [])
    }

    /// A dataset judged by one of the registered rewards.
    ///
    /// - Parameters:
    ///   - options: `path`, and optionally `held_out_path`, `reward`, `reward_options`, `template` (the text
    ///     `{prompt}` is replaced), `chat` (a text prompt is a user's message), `system`, `chat_options`,
    ///     `messages = "plain"`, `max_tokens`, `sha256` (the data must have this hash).
    ///   - rewards: What `reward` may name, beside `exact-match`.
    public init(options: EnvironmentOptions, rewards: [any Reward.Type]) throws {
        var reader = OptionReader(options, of: Self.id)
        path = try reader.text("path")
        heldOutPath = try reader.text("held_out_path", default: "")
        let rewardName = try reader.text("reward", default: "exact-match")
        let rewardOptions = try reader.table("reward_options")
        template = try reader.text("template", default: "{prompt}")
        let messages = try reader.text("messages", default: "template")
        chat = try ChatOptions(&reader)
        maximumCompletionTokens = try reader.integer("max_tokens", default: 64, in: 1...65_536)
        let expectedHash = try reader.text("sha256", default: "")
        try reader.finish()
        guard template.contains("{prompt}") else {
            throw EnvironmentError(.option, at: Self.id, "the option template must contain {prompt}")
        }
        guard ["template", "plain"].contains(messages) else {
            throw EnvironmentError(.option, at: Self.id, "the option messages must be \"template\" or \"plain\"")
        }
        writesPlainly = messages == "plain"

        let file = try DatasetFile(path: path)
        let heldOutFile = heldOutPath.isEmpty ? nil : try DatasetFile(path: heldOutPath)
        let hash = ([file] + [heldOutFile].compactMap { $0 }).map(\.hash.hex).joined(separator: "+")
        guard expectedHash.isEmpty || expectedHash == hash else {
            throw EnvironmentError(
                .dataset, at: path, "the data has the hash \(hash), but the run file says \(expectedHash)")
        }
        if template != "{prompt}", !writesPlainly, let row = file.rows.first(where: \.isConversation) {
            throw EnvironmentError(
                .option, at: "\(path):\(row.line)",
                "the option template is for text prompts, and this one is a list of messages; leave the option out")
        }
        if let heldOutFile {
            rows = [.train: file.rows, .heldOut: heldOutFile.rows]
        } else {
            rows = Dictionary(grouping: file.rows) { Split.containing(canonicalProblem: $0.canonicalForm) }
        }
        if rewardName == "exact-match", rewardOptions.isEmpty, !rewards.contains(where: { $0.id == rewardName }) {
            reward = ExactAnswer()
        } else {
            reward = try Self.reward(named: rewardName, among: rewards).init(options: rewardOptions)
        }
        var resolved = options
        resolved["sha256"] = .string(hash)
        self.options = resolved
    }

    /// The row at a place: pass `index / rows`, row `index % rows` in that pass's order.
    public func task(seed: UInt64, index: UInt64, split: Split) throws -> EnvironmentTask {
        guard let rows = rows[split], !rows.isEmpty else {
            throw EnvironmentError(
                .noTask, at: Self.id,
                "no row lies in the split \(split.rawValue); add rows or name a held_out_path")
        }
        let (epoch, place) = index.quotientAndRemainder(dividingBy: UInt64(rows.count))
        let row = rows[Int(RowOrder(count: rows.count, seed: seed, epoch: epoch).row(at: place))]
        let text = template.replacing("{prompt}", with: row.promptText)
        let conversation: Conversation? =
            switch row.prompt {
            case .text: chat.conversation(text)
            case .messages(let messages): writesPlainly ? nil : chat.conversation(messages, tools: row.tools)
            }
        let file = split == .heldOut && !heldOutPath.isEmpty ? heldOutPath : path
        return EnvironmentTask(
            id: EnvironmentTask.identifier(seed: seed, index: index, split: split), prompt: text,
            conversation: conversation, answer: row.answer, info: row.info, origin: "\(file):\(row.line)")
    }

    /// The rows of the split.
    public func taskCount(of split: Split) -> Int? { rows[split]?.count ?? 0 }

    /// What the reward says.
    public func score(completion: [UInt8], finished: Bool, of task: EnvironmentTask) async throws -> Double {
        try await reward.score(completion: completion, finished: finished, of: task)
    }

    private static func reward(named name: String, among rewards: [any Reward.Type]) throws -> any Reward.Type {
        guard let reward = rewards.first(where: { $0.id == name }) else {
            let known = (rewards.map { $0.id } + ["exact-match"]).sorted().joined(separator: ", ")
            throw EnvironmentError(.unknownName, at: id, "there is no reward \"\(name)\"; known are \(known)")
        }
        return reward
    }
}

extension DatasetRow {
    var isConversation: Bool {
        if case .messages = prompt { return true }
        return false
    }

    /// The prompt as text; a conversation as its plain text.
    var promptText: String {
        switch prompt {
        case .text(let text): text
        case .messages(let messages): Conversation(messages: messages).plainText
        }
    }

    var canonicalForm: String { promptText }
}

/// The reward of a dataset that names none.
private struct ExactAnswer: Reward {
    static let id = "exact-match"
    static let summary = "1 for exactly the answer, else 0."

    init() {}

    init(options: EnvironmentOptions) throws {}

    func score(completion: [UInt8], finished: Bool, of task: EnvironmentTask) throws -> Double {
        guard let answer = task.answer else {
            throw EnvironmentError(.grader, at: Self.id, "the task \(task.id) has no answer to compare with")
        }
        return finished && completion.answerBytes.elementsEqual(answer.utf8) ? 1 : 0
    }
}
