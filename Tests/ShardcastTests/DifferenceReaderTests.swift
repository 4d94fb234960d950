import CDelta
import Foundation
import Fuzzing
import Identity
import Testing

@testable import Shardcast

/// Differences for weights in memory: tensor by tensor, in any order, in chains.
@Suite struct DifferenceReaderTests {
    private func places(of directory: String, _ model: TestModel) throws -> [String: DifferenceReader.Place] {
        var places: [String: DifferenceReader.Place] = [:]
        for file in model.names {
            let layout = try DeltaLayout.tensors(of: "\(directory)/\(file)")
            for (name, info) in layout.tensors where !info.range.isEmpty {
                let start = layout.start + UInt64(info.range.lowerBound)
                places[name] = .init(file: file, bytes: start..<start + UInt64(info.range.count))
            }
        }
        return places
    }

    private func encode(_ models: [TestModel], in scratch: Scratch) throws -> [String] {
        try zip(models, models.dropFirst()).enumerated().map { index, pair in
            let (from, to) = (scratch("v\(index)"), scratch("v\(index + 1)"))
            try pair.0.write(to: from)
            try pair.1.write(to: to)
            return try #require(
                try DeltaEncoder(path: scratch("delta\(index)"), limit: .max).encode(
                    pair.1.names, from: from, to: to, hashes: (pair.0.weightsHash, pair.1.weightsHash))
            ).path
        }
    }

    private func reader(_ paths: [String]) throws -> DifferenceReader {
        try DifferenceReader(
            streams: paths.map { try DeltaStream(try #require(try OpenFile.reading($0))) })
    }

    /// Without F32, which is sent whole and refused here.
    private func model(seed: UInt64, isLarge: Bool) -> TestModel {
        var model = TestModel.drawn(seed: seed, isLarge: isLarge)
        model.files[0].tensors.removeAll { $0.type == "F32" }
        return model
    }

    @Test(arguments: [false, true])
    func anyOrderAndAnyChain(isLarge: Bool) throws {
        let scratch = try Scratch()
        var models = [model(seed: 51, isLarge: isLarge)]
        for step in 1...3 {
            models.append(models[step - 1].drifted(density: step == 2 ? 0 : 0.03, seed: UInt64(step)))
        }
        let paths = try encode(models, in: scratch)
        let places = try places(of: scratch("v0"), models[0])
        for (begin, end) in [(0, 1), (0, 3), (1, 3), (2, 3), (1, 2)] {
            let reader = try reader(Array(paths[begin..<end]))
            #expect(reader.baseWeightsHash == models[begin].weightsHash)
            #expect(reader.weightsHash == models[end].weightsHash)
            // Once in one order, once in the other: nothing is used up.
            for isReversed in [false, true] {
                let tensors = zip(models[begin].files[0].tensors, models[end].files[0].tensors)
                for (old, new) in isReversed ? tensors.reversed() : Array(tensors) where !old.elements.isEmpty {
                    var values = old.elements
                    let place = try #require(places[old.name])
                    guard reader.begin(place) else {
                        #expect(old.elements == new.elements && !reader.places.contains(place))
                        continue
                    }
                    try values.withUnsafeMutableBufferPointer { buffer in
                        for first in stride(from: 0, to: buffer.count, by: DifferenceReader.blockElements) {
                            let end = min(first + DifferenceReader.blockElements, buffer.count)
                            try reader.revise(UnsafeMutableBufferPointer(rebasing: buffer[first..<end]))
                        }
                    }
                    #expect(values == new.elements, "\(old.name), \(begin) to \(end)")
                }
            }
        }
        #expect(throws: ShardcastError.self) { try reader([paths[2], paths[0]]) }
        #expect(throws: ShardcastError.self) { try reader([]) }
    }

    @Test func whatIsNotHalfWidthIsRefused() throws {
        let scratch = try Scratch()
        let base = TestModel.drawn(seed: 52)
        let paths = try encode([base, base.drifted(density: 0.5, seed: 1)], in: scratch)
        #expect(throws: ShardcastError.self) { try reader(paths) }
    }

    @Test func truncatedAndDamagedStreamsAreRefused() throws {
        let scratch = try Scratch()
        let base = model(seed: 53, isLarge: false)
        let path = try encode([base, base.drifted(density: 0.01, seed: 1)], in: scratch)[0]
        let good = contents(path)
        for count in stride(from: 0, to: good.count, by: max(1, good.count / 60)) {
            try Data(good.prefix(count)).write(to: URL(fileURLWithPath: path))
            #expect(throws: ShardcastError.self) { try reader([path]) }
        }
        try Data(good + [0]).write(to: URL(fileURLWithPath: path))
        #expect(throws: ShardcastError.self) { try reader([path]) }
    }

    /// Whatever the stream says: an error, or blocks that change what they are given and nothing else.
    @Test func fuzzedReadersEndInAnErrorOrInBlocks() async throws {
        let scratch = try Scratch()
        var small = TestModel(files: [("model.safetensors", [])])
        var generator = FuzzGenerator(seed: 54)
        for (name, count) in [("a", 40), ("b", 100), ("c", 1)] {
            small.files[0].tensors.append(
                TestTensor(name: name, elements: (0..<count).map { _ in TestModel.weight(&generator) }))
        }
        let drafts = try [0.05, 1.0].map {
            contents(try encode([small, small.drifted(density: $0, seed: 12)], in: scratch)[0])
        }
        let block = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: 4096)
        block.initialize(repeating: 0x3F80)
        defer { block.deallocate() }
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
                let reader = try DifferenceReader(streams: [stream])
                for place in reader.places where reader.begin(place) {
                    let count = place.bytes.count / 2
                    guard count <= block.count - 64 else { continue }
                    for index in count..<count + 64 { block[index] = 0x5A5A }
                    try reader.revise(UnsafeMutableBufferPointer(rebasing: block[..<count]))
                    #expect(block[count..<count + 64].allSatisfy { $0 == 0x5A5A }, "APUS_FUZZ_SEED=\(seed)")
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
