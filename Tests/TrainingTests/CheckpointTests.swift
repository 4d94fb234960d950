import Foundation
import Testing
import Transformer

@testable import Training

@Suite struct CheckpointTests {
    let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString)").path

    func state(_ step: Int) -> TrainingState {
        let state = TrainingState(master: ModelInitializer.random(PolicyTrainerTests.configuration, seed: UInt64(step)))
        state.step = step
        state.updates = step
        for index in 0..<state.firstMoments.layout.slices[0].count {
            state.firstMoments.values.pointer[index] = Float(index + step)
            state.secondMoments.values.pointer[index] = Float(index) * 1e-20
        }
        return state
    }

    func newest(_ store: CheckpointStore) throws -> CheckpointStore.Newest {
        try store.loadNewest(configuration: PolicyTrainerTests.configuration)
    }

    @Test func theNewestFinishedCheckpointIsLoadedAndTheRestReported() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = CheckpointStore(directory: folder, keepLast: 5)
        #expect(try newest(store).state == nil)
        try store.save(state(1), notes: ["batch": "1"])
        let second = try store.save(state(2))
        #expect(try newest(store).state?.step == 2)
        try FileManager.default.removeItem(atPath: "\(second)/STABLE")
        let found = try newest(store)
        #expect(found.state?.step == 1 && found.notes == ["batch": "1"])
        #expect(found.ignored.count == 1 && found.ignored[0].contains("STABLE"))
    }

    @Test func contractNamesStandAndStableIsLast() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = try CheckpointStore(directory: folder).save(state(100))
        #expect(path == "\(folder)/step_000100")
        let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        #expect(names == ["STABLE", "model.safetensors", "optimizer.safetensors", "state.json"])
    }

    @Test func withCompanionsACheckpointIsAModelDirectory() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let companions = ModelCompanions(
            generation: GenerationConfiguration(stopTokens: [3, 5]), files: ["tokenizer.json": Array("{}".utf8)])
        let saved = state(7)
        let path = try CheckpointStore(directory: folder, companions: companions).save(saved)
        let opened = try ModelDirectory(opening: path)
        #expect(opened.configuration == PolicyTrainerTests.configuration)
        #expect(opened.generation.stopTokens == [3, 5])
        let loaded = try opened.masterWeights()
        for slice in loaded.layout.slices { #expect(Array(loaded[slice]) == Array(saved.master[slice])) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(path)/tokenizer.json")) == Data("{}".utf8))
        #expect(FileManager.default.fileExists(atPath: "\(path)/STABLE"))
    }

    @Test func decayedFilesAreNoticed() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = CheckpointStore(directory: folder, keepLast: 9)
        try store.save(state(1))
        for (step, file) in [(2, "model.safetensors"), (3, "optimizer.safetensors")] {
            let path = try store.save(state(step)) + "/" + file
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            bytes[bytes.count - 3] ^= 0x10
            try bytes.write(to: URL(fileURLWithPath: path))
        }
        let cut = try store.save(state(4)) + "/model.safetensors"
        try Data(contentsOf: URL(fileURLWithPath: cut)).dropLast(100).write(to: URL(fileURLWithPath: cut))
        let lost = try store.save(state(5))
        try FileManager.default.removeItem(atPath: "\(lost)/optimizer.safetensors")
        let bad = try store.save(state(6))
        try Data("{".utf8).write(to: URL(fileURLWithPath: "\(bad)/state.json"))
        let moved = try store.save(state(7))
        try FileManager.default.moveItem(atPath: moved, toPath: store.folder(ofStep: 8))
        let found = try newest(store)
        #expect(found.state?.step == 1)
        #expect(found.ignored.count == 6)
    }

    @Test func anotherModelsCheckpointIsRefused() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = CheckpointStore(directory: folder)
        try store.save(state(1))
        let found = try store.loadNewest(configuration: ModelShape.nano.configuration)
        #expect(found.state == nil && found.ignored.count == 1)
    }

    @Test func oldCheckpointsGoAndUnfinishedOnesAreNotCounted() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = CheckpointStore(directory: folder, keepLast: 2)
        for step in 1...2 { try store.save(state(step)) }
        try FileManager.default.createDirectory(atPath: "\(folder)/step_000009", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: "\(folder)/step_9", withIntermediateDirectories: true)
        try store.save(state(3))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(names == ["step_000002", "step_000003", "step_000009", "step_9"])
        #expect(try newest(store).state?.step == 3)
    }

    @Test func aStepCanBeSavedAgain() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = CheckpointStore(directory: folder)
        try store.save(state(1), notes: ["a": "1"])
        try store.save(state(1), notes: ["a": "2"])
        #expect(try newest(store).notes == ["a": "2"])
    }
}
