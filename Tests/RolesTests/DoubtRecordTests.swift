import Foundation
import Logging
import Messages
import Testing

@testable import Roles

@Suite("What a step left out, until it is acknowledged")
struct DoubtRecordTests {
    private let folder = NSTemporaryDirectory() + "apus-doubts-\(UUID().uuidString)"
    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func completed(_ doubted: UInt8..., reasons: String...) -> UnreplayedGroups.Completed {
        .init(
            groups: [], doubted: doubted.map { Data(repeating: $0, count: 32) },
            unavailable: reasons.map { .init(Wire.TrainingGroup(), $0) })
    }

    @Test("Doubts outlive a checkpoint that covers their step, and go when they are acknowledged")
    func outlives() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let record = DoubtRecord(folder: folder, log: log)
        try record.keep(completed(1, 2), ofStep: 3)
        try record.keep(completed(), ofStep: 4)
        try record.keep(completed(reasons: "gone"), ofStep: 5)
        // What the checkpoint of step 5 makes needless.
        BehaviourRecord(folder: folder, log: log).forget(through: 5)
        let kept = DoubtRecord(folder: folder, log: log).unacknowledged(through: 5)
        #expect(kept.map(\.step) == [3, 5])
        #expect(
            kept[0].completed.doubted == completed(1, 2).doubted && kept[1].completed.unavailable[0].reason == "gone")
        record.forget(3)
        #expect(record.unacknowledged(through: 5).map(\.step) == [5])
    }

    @Test("A step that is made again tells what it leaves out then")
    func madeAgain() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let record = DoubtRecord(folder: folder, log: log)
        for step in 3...6 as ClosedRange<UInt64> { try record.keep(completed(1), ofStep: step) }
        #expect(record.unacknowledged(through: 4).map(\.step) == [3, 4])
        #expect(record.unacknowledged(through: 9).map(\.step) == [3, 4])
        try record.keep(completed(), ofStep: 4)
        #expect(record.unacknowledged(through: 9).map(\.step) == [3])
    }

    @Test("Damage costs the file, not the start")
    func damaged() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let record = DoubtRecord(folder: folder, log: log)
        try record.keep(completed(1), ofStep: 3)
        for name in ["7.doubts", "x.doubts", ".doubts"] {
            try Data([0xFF, 0xFF]).write(to: URL(fileURLWithPath: folder + "/" + name))
        }
        #expect(record.unacknowledged(through: 9).map(\.step) == [3])
    }

    @Test(
        "No checkpoint is told before everything that its steps left out is acknowledged, in whatever order that comes")
    func checkpointWaits() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            var reports = StepReports()
            var open: [UInt64: UInt64] = [:]
            var (message, told) = (UInt64(0), UInt64(0))
            for step in 1...6 as ClosedRange<UInt64> {
                for _ in 0..<Int.random(in: 0...2, using: &random) {
                    message += 1
                    open[message] = step
                    reports.sent(message, about: step)
                }
                if Bool.random(using: &random) { reports.wants(checkpoint: step) }
                while let answer = open.keys.randomElement(using: &random), Bool.random(using: &random) {
                    let about = open.removeValue(forKey: answer)
                    #expect(reports.answered(answer) == (open.values.contains { $0 == about } ? nil : about))
                    #expect(reports.answered(answer) == nil)
                    if let next = reports.nextCheckpoint() {
                        #expect(next > told && open.values.allSatisfy { $0 > next })
                        told = next
                    }
                }
            }
            reports.wants(checkpoint: 6)
            for answer in open.keys { _ = reports.answered(answer) }
            #expect(reports.nextCheckpoint() == 6 && reports.nextCheckpoint() == nil)
        }
    }
}
