import Messages
import Orchestration
import Telemetry

/// What the orchestrator counts between two steps, for the row of `metrics.jsonl`.
struct StepTally {
    /// Seconds that workers computed, as they say.
    var generateSeconds = 0.0
    /// Seconds that verifiers computed, as they say.
    var verifySeconds = 0.0
    /// Accepted groups of foreign engines.
    var foreign = ForeignTally()
    /// Versions that workers took in.
    var adoptions = AdoptionTally()
    private var accepted = 0
    private var rejected: [String: Int] = [:]
    private var discarded = 0
    private var lost = 0
    private var spared = 0
    private var vested = 0
    private var picked = 0
    private var checks = 0
    private var forfeited: Int64 = 0
    private var provisional: [UInt64: Int] = [:]
    private var staleness: [UInt64: (mean: Double, maximum: UInt64)] = [:]
    private var batches: [UInt64: (reward: Double, tokens: UInt64)] = [:]
    private var written: UInt64
    private var lastTime: Double?
    private var totalTokens: UInt64

    /// Counts on after the last row of an earlier process, if there was one.
    init(after row: MetricRow? = nil) {
        written = UInt64(max(0, row?.step ?? 0))
        lastTime = row?.time
        totalTokens = UInt64(max(0, row?["progress/tokens"] ?? 0))
    }

    /// Whether a step has no row yet and its batch is not known here, because an earlier process sent it.
    func missesBatch(of step: UInt64) -> Bool { awaitsRow(of: step) && batches[step] == nil }

    /// Whether a step has no row yet.
    func awaitsRow(of step: UInt64) -> Bool { step > written }

    mutating func count(_ notice: RunNotice) {
        switch notice {
        case .groupAccepted: accepted += 1
        case .groupRejected(_, _, let finding, _): rejected[finding.check, default: 0] += 1
        case .groupDiscarded: discarded += 1
        case .auditLost: lost += 1
        case .groupProvisional: spared += 1
        case .groupPicked: picked += 1
        case .groupsVested(_, let count, _):
            vested += count
            accepted += count
        case .creditForfeited(_, let amount, _): forfeited = forfeited &+ amount
        case .checkDone: checks += 1
        case .batchCut(let step, _, let count, let mean, let maximum):
            note(staleness: mean, maximum, of: step)
            provisional[step] = count
        default: break
        }
    }

    /// Notes how old the groups of a batch are.
    mutating func note(staleness mean: Double, _ maximum: UInt64, of step: UInt64) { staleness[step] = (mean, maximum) }

    mutating func begin(_ batch: BatchDesk.Outline) { batches[batch.step] = (batch.meanReward, batch.tokens) }

    /// The step's row, once; nil for a step that was redone or reported again after a crash and has its row already.
    mutating func finish(step: UInt64, time: Double) -> MetricRow? {
        defer {
            staleness = staleness.filter { $0.key > step }
            batches = batches.filter { $0.key > step }
            provisional = provisional.filter { $0.key > step }
        }
        guard step > written else { return nil }
        written = step
        var row = MetricRow(step: Int(clamping: step), time: time)
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
        row["rollouts/provisional"] = Double(provisional[step] ?? 0)
        row["audits/lost"] = Double(lost)
        row["audits/spared"] = Double(spared)
        row["audits/vested"] = Double(vested)
        row["audits/picked"] = Double(picked)
        row["audits/checks"] = Double(checks)
        row["credits/forfeited"] = Double(forfeited)
        for (check, count) in rejected.sorted(by: { $0.key < $1.key }) {
            row["rollouts/rejected/\(check)"] = Double(count)
        }
        for (name, value) in foreign.values { row[name] = value }
        foreign = ForeignTally()
        for (name, value) in adoptions.values { row[name] = value }
        adoptions = AdoptionTally()
        row["generate/seconds"] = generateSeconds
        row["verify/seconds"] = verifySeconds
        generateSeconds = 0
        verifySeconds = 0
        accepted = 0
        rejected = [:]
        discarded = 0
        lost = 0
        (spared, vested, picked, checks, forfeited) = (0, 0, 0, 0, 0)
        return row
    }
}
