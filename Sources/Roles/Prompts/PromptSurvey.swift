import EnvironmentKit

/// Looks at the prompts of a run before it begins, so that a row that cannot be used is an error of the start and not of
/// the third hour.
struct PromptSurvey {
    let environment: any Environment
    let prompts: PromptEncoder
    let rule: TaskBook.PromptRule

    /// Tasks that are looked at; those beyond are checked when their turn comes.
    static let most = 20_000

    /// Checks the tasks of the training split, where they can be counted.
    ///
    /// - Returns: How many of how many tasks are skipped for their length.
    /// - Throws: A ``RoleFailure`` that names the first task that cannot be used.
    func check() throws -> (skipped: Int, of: Int) {
        guard let all = environment.taskCount(of: .train) else { return (0, 0) }
        let count = min(all, Self.most)
        var long: [PromptFailure] = []
        for index in 0..<count {
            let task = try environment.task(seed: 0, index: UInt64(index), split: .train)
            // No tokenizer makes more tokens than three for a byte, so short texts need not be encoded.
            if task.conversation == nil, !task.prompt.isEmpty, 3 * task.prompt.utf8.count + 8 <= rule.limit { continue }
            do throws(PromptFailure) {
                _ = try prompts.tokens(of: task, limit: rule.limit)
            } catch {
                guard error.kind == .tooLong else {
                    throw RoleFailure(.badInput, "\(error)", advice: "Correct or remove it.")
                }
                long.append(error)
            }
        }
        guard let first = long.first else { return (0, count) }
        guard rule.skipsLong, long.count < count else {
            throw RoleFailure(
                .badInput, "\(long.count) of \(count) prompts are too long; the first: \(first)",
                advice:
                    "Shorten them, lower sampling.max_tokens, raise environment.max_prompt_tokens, or leave them out "
                    + "by environment.long_prompts = \"skip\".")
        }
        return (long.count, count)
    }
}
