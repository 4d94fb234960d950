import Foundation
import Logging
import Messages
import Testing

@testable import Roles

@Suite("Log-probabilities that the trainer computed")
struct BehaviourRecordTests {
    @Test("They are there for a step that is made again, until a checkpoint covers it; damage counts as absence")
    func record() throws {
        let folder = NSTemporaryDirectory() + "apus-behaviours-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let record = BehaviourRecord(folder: folder, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        #expect(record.groups(ofStep: 3).isEmpty)
        var group = Wire.TrainingGroup()
        group.groupHash = Data([7])
        var sample = Wire.TrainingSample()
        sample.behaviourLogProbabilities = [-0.1, -2.5]
        group.samples = [sample]
        record.keep([group], ofStep: 3)
        record.keep([group], ofStep: 4)
        #expect(record.groups(ofStep: 3) == [Data([7]): group])
        record.forget(through: 3)
        #expect(record.groups(ofStep: 3).isEmpty && record.groups(ofStep: 4).count == 1)
        try Data([255, 255, 255]).write(to: URL(fileURLWithPath: folder + "/4"))
        #expect(record.groups(ofStep: 4).isEmpty)
    }
}
