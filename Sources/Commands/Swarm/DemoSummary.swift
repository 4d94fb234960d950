import Foundation
import Roles

/// `summary.json` of a demo (CONTRACT: a run's directory).
struct DemoSummary: Encodable, Sendable {
    struct Reward: Encodable {
        let greedy: Double
        let sampled: Double
    }

    struct Cheater: Encodable {
        let id: String
        let caughtAfterGroups: UInt64
        let slashed: Bool
    }

    struct Samples: Encodable {
        let before: [DemoMeasurement.Sample]
        let after: [DemoMeasurement.Sample]
    }

    let rewardBefore: Reward
    let rewardAfter: Reward
    let steps: UInt64
    let policyVersions: Int
    let groupsAccepted: UInt64
    let groupsRejected: [String: UInt64]
    let credits: [String: Int64]
    let cheater: Cheater?
    let verifySeconds: Double
    let generateSeconds: Double
    let maxStaleness: UInt64
    let mismatchKl: Double
    let wallSeconds: Double
    let samples: Samples

    init(report: RunReport, before: DemoMeasurement, after: DemoMeasurement, dishonest: String?, seconds: Double) {
        rewardBefore = Reward(greedy: before.greedy, sampled: before.sampled)
        rewardAfter = Reward(greedy: after.greedy, sampled: after.sampled)
        steps = report.steps
        policyVersions = report.versions
        groupsAccepted = report.accepted
        groupsRejected = report.rejected
        credits = Dictionary(uniqueKeysWithValues: report.workers.map { ($0.name, $0.credit) })
        cheater = report.workers.first { $0.name == dishonest }.map { worker in
            Cheater(id: worker.name, caughtAfterGroups: worker.audited, slashed: worker.bannedBy != nil)
        }
        verifySeconds = report.total("verify/seconds")
        generateSeconds = report.total("generate/seconds")
        maxStaleness = report.maximumStaleness
        // The largest of all steps: 0 only if every trained token of every step agreed to the bit.
        mismatchKl = report.series("mismatch_kl/mean").map(\.value).max() ?? 0
        wallSeconds = seconds
        samples = Samples(before: before.samples, after: after.samples)
    }

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var data = try encoder.encode(self)
        data.append(UInt8(ascii: "\n"))
        try data.write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
