import CDelta
import Foundation
import Fuzzing
import Identity
import Testing

@testable import Shardcast

/// Whole differences between model directories: made, chained, damaged.
@Suite struct DeltaStreamTests {
    private func encode(
        _ base: TestModel, _ next: TestModel, in scratch: Scratch, as name: String, limit: UInt64 = .max
    ) throws -> DeltaEncoder.Draft? {
        let (from, to) = (scratch("\(name)-base"), scratch("\(name)-next"))
        try base.write(to: from)
        try next.write(to: to)
        return try DeltaEncoder(path: scratch(name), limit: limit).encode(
            next.names, from: from, to: to, hashes: (base.weightsHash, next.weightsHash))
    }

    private func stream(_ path: String) throws -> DeltaStream {
        try DeltaStream(try #require(try OpenFile.reading(path)))
    }

    private func apply(_ paths: [String], to base: TestModel, in scratch: Scratch) throws -> [[UInt8]] {
        let (from, to) = (scratch("apply-base"), scratch("apply-result"))
        try base.write(to: from)
        try FileManager.default.createDirectory(atPath: to, withIntermediateDirectories: true)
        let files = base.names.map { (name: $0, bytes: UInt64(contents("\(from)/\($0)").count)) }
        try DeltaApplication(try paths.map(stream)).run(files, base: from, target: to)
        return base.names.map { contents("\(to)/\($0)") }
    }

    private func bytes(_ model: TestModel, in scratch: Scratch) throws -> [[UInt8]] {
        try model.write(to: scratch("expected"))
        return model.names.map { contents("\(scratch("expected"))/\($0)") }
    }

    @Test(arguments: [0, 0.001, 0.01, 0.05, 0.5, 1])
    func everyDensityComesBack(_ density: Double) throws {
        let scratch = try Scratch()
        let base = TestModel.drawn(seed: 1, isLarge: density == 0.05)
        let next = base.drifted(density: density, seed: 2)
        let draft = try #require(try encode(base, next, in: scratch, as: "delta"))
        #expect(try apply([draft.path], to: base, in: scratch) == bytes(next, in: scratch))
        #expect(draft.statistics.bytes == UInt64(contents(draft.path).count))
        #expect(draft.files.map(\.sha256) == (try bytes(next, in: scratch)).map { SHA256.hash($0) })
        if density == 0 { #expect(draft.statistics.changedElements == 0 && draft.statistics.bytes < 300) }
        // Once more gives the same: the base is only read.
        #expect(try apply([draft.path], to: base, in: scratch) == bytes(next, in: scratch))
    }

    @Test func severalFilesAndAChainInOnePass() throws {
        let scratch = try Scratch()
        var model = TestModel.drawn(seed: 3)
        model.files = [
            ("model-00001-of-00002.safetensors", model.files[0].tensors),
            ("model-00002-of-00002.safetensors", TestModel.drawn(seed: 4).files[0].tensors),
        ]
        var versions = [model], paths: [String] = []
        for step in 1...5 {
            // Version 3 is version 2 again: a difference without content in the middle of the chain.
            let next = versions[step - 1].drifted(density: step == 3 ? 0 : 0.02, seed: UInt64(step))
            paths.append(try #require(try encode(versions[step - 1], next, in: scratch, as: "delta\(step)")).path)
            versions.append(next)
        }
        for begin in 0..<5 {
            for end in begin..<5 {
                let made = try apply(Array(paths[begin...end]), to: versions[begin], in: scratch)
                #expect(try made == bytes(versions[end + 1], in: scratch), "\(begin) to \(end + 1)")
            }
        }
        // Out of order, with a hole, from another base.
        #expect(throws: ShardcastError.self) { try apply([paths[1], paths[0]], to: versions[1], in: scratch) }
        #expect(throws: ShardcastError.self) { try apply([paths[0], paths[4]], to: versions[0], in: scratch) }
        #expect(throws: ShardcastError.self) { try apply([paths[0]], to: versions[1], in: scratch) }
        #expect(throws: ShardcastError.self) { try apply([paths[0]], to: TestModel.drawn(seed: 3), in: scratch) }
    }

    @Test func otherLayoutsAndUselessDifferencesAreDeclined() throws {
        let scratch = try Scratch()
        let base = TestModel.drawn(seed: 5)
        var renamed = base
        renamed.files[0].tensors[3] = TestTensor(name: "x.weight", elements: base.files[0].tensors[3].elements)
        #expect(try encode(base, renamed, in: scratch, as: "renamed") == nil)
        var longer = base
        longer.files[0].tensors[3].elements.append(1)
        #expect(try encode(base, longer, in: scratch, as: "longer") == nil)
        #expect(try encode(base, TestModel.drawn(seed: 6), in: scratch, as: "limit", limit: 10_000) == nil)
    }

    @Test func swappedTensorsAndEveryFlippedBitAreFound() throws {
        let scratch = try Scratch()
        let base = TestModel.drawn(seed: 7)
        let next = base.drifted(density: 0.01, seed: 8)
        let draft = try #require(try encode(base, next, in: scratch, as: "delta"))
        let right = try bytes(next, in: scratch)
        let good = contents(draft.path)
        var refused = 0
        for place in stride(from: 0, to: good.count, by: max(1, good.count / 150)) {
            var bad = good
            bad[place] ^= 1 << UInt8(place % 8)
            try Data(bad).write(to: URL(fileURLWithPath: draft.path))
            do {
                // A flip in what the manifest vouches for (the hashes in the head) changes no weight.
                #expect(try apply([draft.path], to: base, in: scratch) == right)
            } catch let error as ShardcastError {
                #expect(error.kind == .corruptDelta)
                refused += 1
            }
        }
        #expect(refused > 120)
        for count in stride(from: 0, to: good.count, by: max(1, good.count / 50)) {
            try Data(good.prefix(count)).write(to: URL(fileURLWithPath: draft.path))
            #expect(throws: ShardcastError.self) { try apply([draft.path], to: base, in: scratch) }
        }
        try Data(good + [0]).write(to: URL(fileURLWithPath: draft.path))
        #expect(throws: ShardcastError.self) { try apply([draft.path], to: base, in: scratch) }
        // Two tensors change places in the base: same bytes, other weights.
        try Data(good).write(to: URL(fileURLWithPath: draft.path))
        var swapped = base
        swapped.files[0].tensors[6].elements.swapAt(10, 20)
        #expect(throws: ShardcastError.self) { try apply([draft.path], to: swapped, in: scratch) }
    }

    @Test func fuzzedStreamsEndInAnErrorOrInTheRightWeights() async throws {
        let scratch = try Scratch()
        var small = TestModel(files: [("model.safetensors", [])])
        var generator = FuzzGenerator(seed: 11)
        for (name, count) in [("a", 40), ("b", 100), ("c", 1)] {
            small.files[0].tensors.append(
                TestTensor(name: name, elements: (0..<count).map { _ in TestModel.weight(&generator) }))
        }
        let nexts = [0.05, 1.0].map { small.drifted(density: $0, seed: 12) }
        let drafts = try nexts.enumerated().map { index, next in
            contents(try #require(try encode(small, next, in: scratch, as: "delta\(index)")).path)
        }
        let results = Set(try nexts.map { try bytes($0, in: scratch)[0] } + [try bytes(small, in: scratch)[0]])
        let (from, to) = (scratch("fuzz-base"), scratch("fuzz-result"))
        try small.write(to: from)
        try FileManager.default.createDirectory(atPath: to, withIntermediateDirectories: true)
        let size = UInt64(contents("\(from)/model.safetensors").count)
        let memory = FuzzMemory()
        try await Fuzz.run(atLeast: 3_000) { seed in
            var generator = FuzzGenerator(seed: seed)
            let bytes = Mutation.mutate(drafts, interesting: [0, 1, 2, 3, 31, 64, 255], using: &generator)
            do {
                let stream = try DeltaStream("fuzz", size: UInt64(bytes.count)) {
                    (target, offset) throws(ShardcastError) in
                    let part = bytes.dropFirst(Int(offset)).prefix(target.count)
                    target.copyBytes(from: part)
                    return part.count
                }
                try DeltaApplication([stream]).run([("model.safetensors", size)], base: from, target: to)
                // Taken, so every changed tensor has a hash that stands in the stream; most mutations hit the head's hashes.
                if seed % 8 == 0, !results.contains(contents("\(to)/model.safetensors")),
                    drafts.allSatisfy({ $0.count == bytes.count })
                {
                    Issue.record("other weights were accepted: APUS_FUZZ_SEED=\(seed)")
                }
            } catch let error as ShardcastError {
                #expect(error.kind == .corruptDelta, "APUS_FUZZ_SEED=\(seed)")
            }
        }
        if let growth = memory?.growth {
            print("peak memory rose by \(growth.resident) MiB, asked for \(growth.reserved) MiB")
            #expect(growth.resident < 128 && growth.reserved < 1024)
        }
    }
}
