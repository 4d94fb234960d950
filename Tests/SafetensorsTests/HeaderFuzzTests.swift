import Foundation
import Fuzzing
import Testing

@testable import Safetensors

@Suite("Safetensors fuzzing")
struct HeaderFuzzTests {
    private static let words = [
        #""dtype""#, #""shape""#, #""data_offsets""#, #""__metadata__""#, #""BF16""#, #""F4""#, "[0,0]", "{}", "[]",
        "null",
        "true", "9223372036854775807", "18446744073709551615", "4294967296", "-1", "0.5", "1e9", "\\u0061", "\\ud83d",
    ]

    @Test("a mutated file is refused, or every tensor lies inside it")
    func mutations() async throws {
        // Half of the cases start from valid files; a mutated hostile file is hardly ever accepted.
        let valid = try HostileFile.valid.map { try $0.bytes() }.filter { $0.count < 2048 }
        let hostile = try HostileFile.hostile.map { try $0.bytes() }.filter { $0.count < 2048 }
        let seeds = (0..<hostile.count / valid.count).flatMap { _ in valid } + hostile
        var accepted = 0
        try await Fuzz.run(atLeast: 60_000) { seed in
            var generator = FuzzGenerator(seed: seed)
            let bytes = Mutation.mutate(seeds, words: Self.words, using: &generator)
            let header: SafetensorsHeader
            do {
                header = try Fixture.parse(bytes)
            } catch {
                try #require(error is SafetensorsError, "APUS_FUZZ_SEED=\(seed): \(error)")
                return
            }
            accepted += 1
            var total = 0
            for info in header.tensors.values {
                try #require(
                    info.range.lowerBound >= 0 && header.dataStart + info.range.upperBound <= bytes.count,
                    "APUS_FUZZ_SEED=\(seed)")
                try #require(
                    TensorInfo.byteCount(type: info.type, shape: info.shape) == info.range.count,
                    "APUS_FUZZ_SEED=\(seed)")
                total += info.range.count
            }
            // No byte of an accepted file belongs to nobody, or to two tensors.
            try #require(header.dataStart + total == bytes.count, "APUS_FUZZ_SEED=\(seed)")
        }
        // A fuzzer that only ever sees refusals tests one branch.
        #expect(accepted > 100 || !Fuzz.isBounded, "only \(accepted) accepted")
    }

    @Test("a mutated index is refused, or puts every tensor into a part that is there")
    func indexMutations() async throws {
        let folder = NSTemporaryDirectory() + "apus-safetensors-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let sources = (0..<3).map { TensorSource(name: "t\($0)", type: .uint8, shape: [2], bytes: [1, 2]) }
        try PartsWriter.write(sources, maximumByteCount: 2, to: folder)
        let path = "\(folder)/\(TensorCollection.indexName)"
        let seeds = [try FileBytes.read(path, atMost: 1 << 20)]
        try await Fuzz.run(atLeast: 1000) { seed in
            var generator = FuzzGenerator(seed: seed)
            let words = ["../", "/", "model-00001-of-00003.safetensors", "t1", "\\u0000"]
            let bytes = Mutation.mutate(seeds, words: words, using: &generator)
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            do {
                let collection = try TensorCollection(directory: folder)
                try #require(collection.tensors.count == 3, "APUS_FUZZ_SEED=\(seed)")
                for name in collection.tensors.keys {
                    let part = try collection.file(holding: name)
                    try #require(part.path.hasPrefix("\(folder)/model-0"), "APUS_FUZZ_SEED=\(seed)")
                }
            } catch {
                try #require(error is SafetensorsError, "APUS_FUZZ_SEED=\(seed): \(error)")
            }
        }
    }

    @Test("every truncation of a valid file is refused")
    func truncations() throws {
        for file in HostileFile.valid {
            let bytes = try file.bytes()
            for count in 0..<bytes.count {
                #expect(throws: SafetensorsError.self) { try Fixture.parse(Array(bytes.prefix(count))) }
            }
        }
    }
}
