import Messages
import RunConfiguration

/// Whether the messages about a run's groups fit into the wire's limits, found out before anything is generated.
struct MessageCheck {
    private let budget: MessageBudget
    private let file: RunFile

    init(_ file: RunFile, _ model: StartingModel) {
        self.file = file
        let longest = model.prompts.longestPrompt(maximumTokens: file.sampling.maxTokens)
        budget = MessageBudget(
            samples: file.sampling.groupSize,
            promptTokens: file.environment.maxPromptTokens > 0 ? file.environment.maxPromptTokens : max(0, longest),
            completionTokens: file.sampling.maxTokens, vocabularySize: model.configuration.vocabularySize)
    }

    /// - Throws: A ``RoleFailure`` that says what to lower, and to what.
    func check() throws {
        let limit = Limits.standard.frameBytes
        guard budget.largestBytes > limit else { return }
        var smaller = budget
        while smaller.samples > 1, smaller.largestBytes > limit { smaller.samples -= 1 }
        let advice =
            smaller.largestBytes <= limit
            ? "Lower sampling.group_size to \(smaller.samples), or sampling.max_tokens."
            : "Lower sampling.max_tokens."
        throw RoleFailure(
            .badInput,
            "A group of \(file.sampling.groupSize) samples of up to \(file.sampling.maxTokens) tokens can need a message "
                + "of \(budget.largestBytes >> 20) MiB, and \(limit >> 20) MiB are the limit.",
            advice: advice)
    }
}

extension TaskBook.PromptRule {
    /// What a run file's `[environment]` table and the model's context say.
    ///
    /// - Throws: A ``RoleFailure`` when completions leave no room for a prompt.
    init(_ file: RunFile, _ model: StartingModel) throws {
        let room = model.prompts.longestPrompt(maximumTokens: file.sampling.maxTokens)
        guard room >= 1 else {
            throw RoleFailure(
                .badInput,
                "sampling.max_tokens = \(file.sampling.maxTokens) leaves no room for a prompt in the model's "
                    + "\(model.configuration.maxPositions) positions.",
                advice: "Lower sampling.max_tokens.")
        }
        let wanted = file.environment.maxPromptTokens
        self.init(limit: wanted > 0 ? min(wanted, room) : room, skipsLong: file.environment.longPrompts == .skip)
    }
}
