import Foundation
import Testing

@testable import Messages

/// The budget must never be below what is sent.
@Suite struct MessageBudgetTests {
    @Test(arguments: [(1, 1, 1, 100), (4, 33, 70, 152_000), (8, 1000, 256, 50_000)])
    func boundsWhatIsSent(_ samples: Int, _ prompt: Int, _ completion: Int, _ vocabulary: Int) throws {
        let budget = MessageBudget(
            samples: samples, promptTokens: prompt, completionTokens: completion, vocabularySize: vocabulary)
        let id = UInt32(vocabulary - 1)
        let chunks = (completion + 31) / 32
        var payload = Wire.GroupPayload()
        payload.schemaVersion = .max
        payload.runID = Data(count: 32)
        payload.groupID = Data(count: 32)
        payload.workerKey = Data(count: 32)
        payload.weightsHash = Data(count: 32)
        payload.environmentHash = Data(count: 32)
        payload.environmentID = String(repeating: "x", count: 48)
        payload.promptTokens = Array(repeating: id, count: prompt)
        payload.sampling.stopTokens = Array(repeating: id, count: 256)
        var report = Wire.AuditReport()
        report.auditID = .max
        report.signature = Data(count: 64)
        for _ in 0..<samples {
            var sample = Wire.Sample()
            sample.tokens = Array(repeating: id, count: completion)
            sample.logProbabilities = Array(repeating: -1, count: completion)
            sample.commitments = Array(repeating: Data(count: 32), count: chunks)
            sample.toplocProofs = Array(repeating: Data(count: 258), count: chunks)
            payload.samples.append(sample)
            var replayed = Wire.ReplayedSample()
            replayed.commitments = sample.commitments
            replayed.logProbabilities = sample.logProbabilities
            replayed.replayedTokens = sample.tokens
            replayed.margins = Array(repeating: 1, count: completion)
            var rows = Wire.TopRows()
            rows.indices = Array(repeating: 32 * 8192 - 1, count: 128)
            rows.bits = Array(repeating: 0xffff, count: 128)
            replayed.topRows = Array(repeating: rows, count: chunks)
            report.samples.append(replayed)
        }
        let submitted = try payload.serializedData().count
        let reported = try report.serializedData().count
        #expect(submitted <= budget.submissionBytes && budget.submissionBytes <= 2 * submitted + 4096)
        #expect(reported <= budget.reportBytes && budget.reportBytes <= 2 * reported + 4096)
    }
}
