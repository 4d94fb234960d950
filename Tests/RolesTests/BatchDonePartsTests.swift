import Foundation
import Messages
import Testing

@testable import Roles

@Suite("What a step came to, in messages")
struct BatchDonePartsTests {
    @Test("More left-out groups than a message may list are told in several, each once")
    func manyParts() throws {
        var completed = UnreplayedGroups.Completed(groups: [])
        for index in 0..<2500 {
            completed.doubted.append(Data(repeating: 0, count: 30) + [UInt8(index >> 8), UInt8(index & 255)])
            if index < 1100 { completed.unavailable.append(.init(Wire.TrainingGroup(), "reason \(index)")) }
        }
        var metric = Wire.Metric()
        metric.name = "loss"
        let parts = Wire.BatchDone.parts(step: 7, metrics: [metric], completed)
        #expect(parts.count == 3 && parts.allSatisfy { $0.step == 7 } && parts.map(\.metrics.count) == [1, 0, 0])
        #expect(parts.flatMap(\.doubtedGroups) == completed.doubted)
        #expect(parts.flatMap(\.unavailableGroups) == completed.unavailable)
        for part in parts {
            #expect(part.doubtedGroups.count <= Limits.standard.items)
            #expect(part.unavailableGroups.count <= Limits.standard.items)
        }
        // A step that left nothing out is told all the same.
        #expect(Wire.BatchDone.parts(step: 7, metrics: [metric], .init(groups: [])).count == 1)
    }
}
