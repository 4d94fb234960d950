/// Which messages about left-out groups the orchestrator has not acknowledged, and what must wait for that.
///
/// The orchestrator forgets a batch's groups when it learns that a STABLE checkpoint covers them, and then cannot have
/// them looked at any more. So a checkpoint is not told before everything that its steps left out.
struct StepReports {
    private var open: [UInt64: UInt64] = [:]
    private var waiting: UInt64?

    /// Notes a message about a step, by the number that its answer will have.
    mutating func sent(_ message: UInt64, about step: UInt64) { open[message] = step }

    /// Takes in an answer.
    ///
    /// - Returns: The step, where that was the last message about it.
    mutating func answered(_ message: UInt64) -> UInt64? {
        guard let step = open.removeValue(forKey: message), !open.values.contains(step) else { return nil }
        return step
    }

    /// Notes that a checkpoint is to be told.
    mutating func wants(checkpoint step: UInt64) { waiting = max(waiting ?? 0, step) }

    /// The checkpoint that may be told now, once; nil while something that it covers is unanswered.
    mutating func nextCheckpoint() -> UInt64? {
        guard let step = waiting, !open.values.contains(where: { $0 <= step }) else { return nil }
        waiting = nil
        return step
    }
}
