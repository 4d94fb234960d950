import Telemetry
import Testing

@testable import Roles

@Suite("The row of a step")
struct StepTallyTests {
    private func batch(_ step: UInt64, rewards: [Double]) -> BatchDesk.Outline {
        BatchDesk.Outline(
            step: step, parts: [0..<1], prefix: 0, tokens: 40,
            meanReward: rewards.reduce(0, +) / Double(rewards.count))
    }

    @Test("A step has one row, however often it is made or reported")
    func once() throws {
        var tally = StepTally()
        tally.begin(batch(1, rewards: [0, 1]))
        let made = tally.finish(step: 1, time: 10)
        let row = try #require(made)
        #expect(row.step == 1 && row["reward/mean"] == 0.5 && row["progress/tokens"] == 40)
        // The trainer went back to its checkpoint and makes the step again.
        tally.begin(batch(1, rewards: [0, 1]))
        #expect(tally.finish(step: 1, time: 11) == nil)
        tally.begin(batch(2, rewards: [1]))
        let later = tally.finish(step: 2, time: 12)
        let next = try #require(later)
        #expect(next["progress/tokens"] == 80 && next["time/step"] == 2 && next["perf/throughput"] == 20)
    }

    @Test("A new process counts on after the last row of the earlier one")
    func continued() throws {
        var row = MetricRow(step: 7, time: 100)
        row["progress/tokens"] = 500
        var tally = StepTally(after: row)
        #expect(!tally.missesBatch(of: 7) && tally.missesBatch(of: 8))
        #expect(tally.finish(step: 7, time: 101) == nil)
        tally.begin(batch(8, rewards: [1]))
        #expect(!tally.missesBatch(of: 8) && tally.awaitsRow(of: 8))
        let later = tally.finish(step: 8, time: 104)
        let next = try #require(later)
        #expect(next["progress/tokens"] == 540 && next["time/step"] == 4)
    }

    @Test("What was counted belongs to one row only")
    func counts() throws {
        var tally = StepTally()
        tally.count(.auditLost(audit: 1, verifier: TestKeys.verifier, reason: "timeout"))
        tally.count(.batchCut(step: 1, groups: 4, provisional: 0, meanStaleness: 0.5, maximumStaleness: 2))
        tally.generateSeconds = 3
        let one = tally.finish(step: 1, time: 1)
        let first = try #require(one)
        #expect(first["audits/lost"] == 1 && first["generate/seconds"] == 3)
        #expect(first["off_policy/mean"] == 0.5 && first["off_policy/max"] == 2)
        let two = tally.finish(step: 2, time: 2)
        let second = try #require(two)
        #expect(second["audits/lost"] == 0 && second["generate/seconds"] == 0 && second["off_policy/max"] == nil)
    }
}
