import Messages
import Testing

@testable import Roles

@Suite("A batch in parts")
struct BatchAssemblyTests {
    private func part(_ part: UInt32, of parts: UInt32, step: UInt64 = 3, prefix: UInt64 = 9) -> Wire.Batch {
        var group = Wire.TrainingGroup()
        group.groupID = .init([UInt8(part)])
        var batch = Wire.Batch()
        batch.step = step
        batch.part = part
        batch.parts = parts
        batch.batchHashPrefix = prefix
        batch.groups = [group]
        return batch
    }

    @Test("Parts make the batch in their order, however they come")
    func order() {
        var assembly = BatchAssembly()
        #expect(assembly.add(part(0, of: 3)) == nil)
        #expect(assembly.nextPart == 1)
        #expect(assembly.add(part(2, of: 3)) == nil)
        #expect(assembly.add(part(2, of: 3)) == nil)
        #expect(assembly.nextPart == 1)
        let groups = assembly.add(part(1, of: 3))
        #expect(groups?.map { [UInt8]($0.groupID) } == [[0], [1], [2]])
        #expect(assembly.nextPart == 0)
    }

    @Test("One message is a whole batch, also from a sender that counts no parts")
    func single() {
        var assembly = BatchAssembly()
        #expect(assembly.add(part(0, of: 1))?.count == 1)
        #expect(assembly.add(part(0, of: 0))?.count == 1)
    }

    @Test("Another batch starts over, and impossible parts change nothing")
    func mixed() {
        var assembly = BatchAssembly()
        #expect(assembly.add(part(0, of: 2)) == nil)
        #expect(assembly.add(part(5, of: 2)) == nil)
        #expect(assembly.add(part(0, of: .max)) == nil)
        #expect(assembly.add(part(1, of: 2, prefix: 8)) == nil)
        #expect(assembly.nextPart == 0)
        #expect(assembly.add(part(0, of: 2, prefix: 8))?.count == 2)
    }
}
