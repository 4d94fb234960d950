import Foundation
import Identity
import Safetensors
import Tensors
import Testing

@testable import Transformer

@Suite("Shared weights")
struct WeightsCacheTests {
    private let kernels: Kernels
    private let pool = ComputePool(threads: 2)

    init() throws {
        kernels = try Kernels.preferred()
    }

    /// Runs `body` with a nano model's directory and a cache that takes models of every size.
    private func withModel(
        seed: UInt64 = 1, maximum: Int = 1 << 30, _ body: (ModelDirectory, WeightsCache, ModelWeights) throws -> Void
    ) throws {
        try WeightsTests.withFolder { folder in
            let weights = try ModelWeights(
                master: ModelInitializer.random(ModelShape.nano.configuration, seed: seed), kernels: kernels, pool: pool
            )
            try weights.write(directory: "\(folder)/model", generation: .byteLevel)
            let cache = WeightsCache(
                directory: "\(folder)/cache/weights", maximumByteCount: maximum, minimumByteCount: 0)
            try body(try ModelDirectory(opening: "\(folder)/model"), cache, weights)
        }
    }

    private func load(
        _ directory: ModelDirectory, _ cache: WeightsCache?, expected: Hash256? = nil
    ) throws -> ModelWeights {
        try directory.weights(kernels: kernels, pool: pool, expected: expected, cache: cache)
    }

    private func place(_ weights: ModelWeights) -> String? {
        guard case .shared(let path) = weights.residence else { return nil }
        return path
    }

    private func names(_ cache: WeightsCache) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: cache.directory).sorted()
    }

    private func same(_ left: ModelWeights, _ right: ModelWeights) -> Bool {
        left.layout.slices.allSatisfy { left.tensor(named: $0.name) == right.tensor(named: $0.name) }
    }

    @Test("the first load builds a file that later loads map", arguments: [false, true])
    func builtOnce(knowingTheHash: Bool) throws {
        try withModel { (directory, cache, original) throws -> Void in
            let expected = knowingTheHash ? original.weightsHash : nil
            let first = try load(directory, cache, expected: expected)
            let path = try #require(place(first))
            #expect(path.hasSuffix(".panels") && path.contains(original.weightsHash.hex))
            let inode = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
            let second = try load(directory, cache, expected: expected)
            #expect(place(second) == path)
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int == inode)
            for weights in [first, second] {
                #expect(weights.weightsHash == original.weightsHash)
                #expect(same(weights, original))
            }
            #expect(try names(cache).count == 2)
            let mode = try FileManager.default.attributesOfItem(atPath: cache.directory)[.posixPermissions] as? Int
            #expect(mode == 0o700)
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test("small models, and models without a cache, stay private")
    func small() throws {
        try withModel { (directory, cache, original) throws -> Void in
            let standard = WeightsCache(directory: cache.directory)
            for weights in [try load(directory, standard), try load(directory, nil)] {
                #expect(weights.residence == .privateMemory(reason: nil) && weights.residence.complaint == nil)
                #expect(same(weights, original))
            }
            #expect(!FileBytes.exists(cache.directory))
        }
    }

    @Test("a damaged, cut, foreign or empty file is built again", arguments: 0..<6)
    func damaged(way: Int) throws {
        try withModel { (directory, cache, original) throws -> Void in
            let path = try #require(place(try load(directory, cache)))
            var bytes = try FileBytes.read(path, atMost: 1 << 30)
            switch way {
            case 0: bytes[bytes.count - 100] ^= 1
            case 1: bytes.removeLast()
            case 2: bytes = []
            case 3: bytes[9] ^= 1  // another format
            case 4: bytes[60] ^= 1  // other weights
            default: bytes = [UInt8](repeating: 0, count: bytes.count)
            }
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            chmod(path, 0o600)
            let again = try load(directory, cache)
            #expect(place(again) == path)
            #expect(same(again, original) && again.weightsHash == original.weightsHash)
            #expect(try FileBytes.read(path, atMost: 1 << 30) != bytes)
        }
    }

    @Test("a file that others may write, and a link, are not mapped")
    func writableByOthers() throws {
        try withModel { (directory, cache, original) throws -> Void in
            let path = try #require(place(try load(directory, cache)))
            chmod(path, 0o666)
            #expect(same(try load(directory, cache), original))
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
            try FileManager.default.moveItem(atPath: path, toPath: "\(path).elsewhere")
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "\(path).elsewhere")
            #expect(same(try load(directory, cache), original))
            let type = try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
            #expect(type == .typeRegular)
        }
    }

    @Test("a folder that is open to others, or no folder, is not used and the reason is said")
    func openFolder() throws {
        try withModel { (directory, cache, original) throws -> Void in
            try FileManager.default.createDirectory(atPath: cache.directory, withIntermediateDirectories: true)
            chmod(cache.directory, 0o755)
            let open = try load(directory, cache)
            #expect(open.residence.complaint?.contains("0700") == true)
            #expect(same(open, original))
            let file = WeightsCache(directory: "\(directory.path)/config.json", minimumByteCount: 0)
            #expect(try load(directory, file).residence.complaint?.contains("config.json") == true)
            let under = WeightsCache(directory: "\(directory.path)/config.json/x", minimumByteCount: 0)
            #expect(try load(directory, under).residence.complaint != nil)
        }
    }

    @Test("weights that never fit are private; others push out what was used least recently")
    func eviction() throws {
        try withModel(maximum: 1000) { (directory, cache, original) throws -> Void in
            let weights = try load(directory, cache)
            #expect(weights.residence.complaint?.contains("may hold 1000") == true)
            #expect(same(weights, original))
        }
        try withModel { (directory, cache, _) throws -> Void in
            let size = try FileBytes.read(try #require(place(try load(directory, cache))), atMost: 1 << 30).count
            let old = try #require(place(try load(directory, cache)))
            var times = [timespec(tv_sec: 1000, tv_nsec: 0), timespec(tv_sec: 1000, tv_nsec: 0)]
            utimensat(AT_FDCWD, old, &times, 0)
            let tight = WeightsCache(
                directory: cache.directory, maximumByteCount: 2 * size + 100, minimumByteCount: 0)
            try withModel(seed: 2) { (second, _, _) throws -> Void in
                let kept = try #require(place(try load(second, tight)))
                #expect(FileBytes.exists(old))
                try withModel(seed: 3) { (third, _, original) throws -> Void in
                    let weights = try load(third, tight)
                    #expect(!FileBytes.exists(old) && FileBytes.exists(kept))
                    #expect(same(weights, original))
                }
            }
        }
    }

    @Test("weights that are mapped stay whole when their file is deleted")
    func deleted() throws {
        try withModel { (directory, cache, original) throws -> Void in
            let weights = try load(directory, cache)
            try FileManager.default.removeItem(atPath: cache.directory)
            #expect(same(weights, original))
        }
    }

    @Test("what a crashed build left is removed, and its lock is free")
    func crashed() throws {
        try withModel { (directory, cache, original) throws -> Void in
            let key = String(PanelFileHeader.key(of: original.layout).hex.prefix(16))
            try FileManager.default.createDirectory(
                atPath: cache.directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try Data(count: 100).write(to: URL(fileURLWithPath: "\(cache.directory)/\(key).1.partial"))
            try Data().write(to: URL(fileURLWithPath: "\(cache.directory)/\(key).lock"))
            #expect(place(try load(directory, cache)) != nil)
            #expect(try names(cache).count == 2)
        }
    }

    @Test("many that build at once end with one file and the same bits")
    func race() async throws {
        let folder = NSTemporaryDirectory() + "apus-transformer-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let original = try ModelWeights(
            master: ModelInitializer.random(ModelShape.nano.configuration, seed: 1), kernels: kernels, pool: pool)
        try original.write(directory: "\(folder)/model", generation: .byteLevel)
        let kernels = kernels
        let hashes = try await withThrowingTaskGroup(of: (Hash256, String?).self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let weights = try ModelDirectory(opening: "\(folder)/model").weights(
                        kernels: kernels, pool: ComputePool(threads: 1),
                        cache: WeightsCache(directory: "\(folder)/cache", minimumByteCount: 0))
                    if case .shared(let path) = weights.residence { return (weights.weightsHash, path) }
                    return (weights.weightsHash, nil)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(hashes.map(\.0)) == [original.weightsHash])
        #expect(Set(hashes.map(\.1)).count == 1 && hashes.allSatisfy { $0.1 != nil }, "\(hashes)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/cache").count == 2)
    }

    @Test("a wrong expectation is never met: the hash is that of what was loaded")
    func wrongExpectation() throws {
        try withModel { (directory, cache, original) throws -> Void in
            let other = SHA256.hash([1, 2, 3])
            #expect(try load(directory, cache, expected: other).weightsHash == original.weightsHash)
            #expect(try load(directory, cache, expected: other).weightsHash == original.weightsHash)
            #expect(same(try load(directory, cache), original))
        }
    }

    @Test("denormals of a bf16 file are flushed everywhere alike")
    func denormals() throws {
        try WeightsTests.withFolder { folder in
            let weights = try ModelWeights(
                master: ModelInitializer.random(ModelShape.nano.configuration, seed: 1), kernels: kernels, pool: pool)
            let sources = weights.sources.map { source -> TensorSource in
                guard ["model.norm.weight", "model.embed_tokens.weight"].contains(source.name),
                    var bits = weights.tensor(named: source.name)
                else { return source }
                bits[0] = 0x0001
                bits[1] = 0x807F
                return TensorSource(
                    name: source.name, type: .bfloat16, shape: source.shape, bytes: bits.withUnsafeBytes { Array($0) })
            }
            try ModelDirectory.write(
                to: "\(folder)/m", configuration: weights.configuration, generation: .byteLevel, tensors: sources)
            let directory = try ModelDirectory(opening: "\(folder)/m")
            let cache = WeightsCache(directory: "\(folder)/cache", minimumByteCount: 0)
            let own = try load(directory, nil)
            #expect(own.tensor(named: "model.norm.weight")?.prefix(2) == [0, 0x8000])
            #expect(own.tensor(named: "model.embed_tokens.weight")?.prefix(2) == [0, 0x8000])
            for weights in [try load(directory, cache), try load(directory, cache)] {
                #expect(weights.weightsHash == own.weightsHash && same(weights, own))
            }
            #expect(try weightsHash(of: own.sources) == own.weightsHash)
        }
    }
}
