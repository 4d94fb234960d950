import Messages
import Orchestration
import Telemetry

/// What the orchestrator counts between two steps, for the row of `metrics.jsonl`.
struct StepTally {
    /// Seconds that workers computed, as they say.
    var generateSeconds = 0.0
    /// Seconds that verifiers computed, as they say.
    var verifySeconds = 0.0
    private var accepted = 0
    private var rejected: [String: Int] = [:]
    private var discarded = 0
    private var lost = 0
    private var staleness: [UInt64: (mean: Double, maximum: UInt64)] = [:]
    private var batches: [UInt64: (reward: Double, tokens: UInt64)] = [:]
    private var written: UInt64 = 0
    private var lastTime: Double?
    private var totalTokens: UInt64 = 0

    mutating func count(_ notice: RunNotice) {
        switch notice {
        case .groupAccepted: accepted += 1
        case .groupRejected(_, _, let finding, _): rejected[finding.check, default: 0] += 1
        case .groupDiscarded: discarded += 1
        case .auditLost: lost += 1
        case .batchCut(let step, _, let mean, let maximum): staleness[step] = (mean, maximum)
        default: break
        }
    }

    mutating func begin(_ batch: Wire.Batch) {
        let rewards = batch.groups.flatMap { $0.samples.map { Double($0.reward) } }
        let mean = rewards.isEmpty ? 0 : rewards.reduce(0, +) / Double(rewards.count)
        batches[batch.step] = (mean, batch.totalCompletionTokens)
    }

    /// The step's row, once; nil for a step that was redone after a crash and has its row already.
    mutating func finish(step: UInt64, time: Double) -> MetricRow? {
        defer {
            staleness = staleness.filter { $0.key > step }
            batches = batches.filter { $0.key > step }
        }
        guard step > written else { return nil }
        written = step
        var row = MetricRow(step: Int(step), time: time)
        if let batch = batches[step] {
            // Over all groups of the batch, before any filter.
            row["reward/mean"] = batch.reward
            totalTokens += batch.tokens
            row["progress/tokens"] = Double(totalTokens)
            if let lastTime, time > lastTime {
                row["time/step"] = time - lastTime
                row["perf/throughput"] = Double(batch.tokens) / (time - lastTime)
            }
        }
        lastTime = time
        if let staleness = staleness[step] {
            row["off_policy/mean"] = staleness.mean
            row["off_policy/max"] = Double(staleness.maximum)
        }
        row["rollouts/accepted"] = Double(accepted)
        row["rollouts/discarded"] = Double(discarded)
        row["audits/lost"] = Double(lost)
        for (check, count) in rejected.sorted(by: { $0.key < $1.key }) {
            row["rollouts/rejected/\(check)"] = Double(count)
        }
        row["generate/seconds"] = generateSeconds
        row["verify/seconds"] = verifySeconds
        generateSeconds = 0
        verifySeconds = 0
        accepted = 0
        rejected = [:]
        discarded = 0
        lost = 0
        return row
    }
}
