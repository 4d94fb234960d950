import Foundation
import Generation
import Identity
import Logging
import Orchestration
import Sampling
import Synchronization
import Tensors
import Testing
import Transformer

@testable import Roles

/// Leases come, go, are replaced and finish under versions in any order; two versions are in memory at most.
@Suite(.serialized) struct GenerationDeskTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-desk-\(UUID().uuidString)")
    private let kernels: Kernels
    private let key = SigningKey().publicKey
    private var versions: [(version: PolicyVersion, files: PolicyFiles, weights: ModelWeights)] = []

    init() throws {
        kernels = try Kernels.preferred()
        let pool = ComputePool(threads: 1)
        for number in UInt64(0)..<6 {
            let master = ModelInitializer.random(ModelShape.nano.configuration, seed: number)
            let weights = try ModelWeights(master: master, kernels: kernels, pool: pool)
            let path = folder.appendingPathComponent("v\(number)").path
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try weights.write(directory: path, generation: GenerationConfiguration(stopTokens: [1]))
            versions.append(
                (
                    PolicyVersion(number: number, weightsHash: weights.weightsHash, step: number),
                    PolicyFiles(model: path, adapter: nil), weights
                ))
        }
    }

    /// Groups that the desk has taken in or refused.
    private final class Entered: Sendable {
        let count = Mutex(0)
    }

    private var context: GenerationContext { GenerationContext(runID: .zero, workerKey: key) }

    private func desk() -> GenerationDesk {
        GenerationDesk(
            kernels: kernels, threads: 1, context: context,
            // Room for a few samples, so that they make room for each other.
            capacity: GenerationCapacity(
                sequences: 32, cacheBytes: 12 * KeyValueCache.pageByteCount(ModelShape.nano.configuration)),
            tampering: nil, log: Logger(label: "desk", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    private func request(_ number: Int) -> GroupRequest {
        GroupRequest(
            groupID: SHA256.hash([UInt8(number & 255), UInt8(number >> 8)]),
            promptTokens: (0..<1 + number % 20).map { Int32(($0 * 7 + number) % 30) },
            parameters: SamplingParameters(samples: 1 + number % 5, maximumTokens: 1 + number * 7 % 60, stopTokens: [1])
        )
    }

    private func alone(_ request: GroupRequest, _ version: Int) throws -> [SampleResult]? {
        let engine = GenerationEngine(
            weights: versions[version].weights, kernels: kernels, pool: ComputePool(threads: 1), context: context,
            limits: GenerationLimits(sequences: 64, pages: 4096))
        try engine.add(request)
        while !engine.isIdle {
            for result in try engine.step() { return result.samples }
        }
        return nil
    }

    @Test func anyOrder() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        for seed in 0..<20 {
            var state = UInt64(seed) &+ 1
            func next(_ bound: Int) -> Int {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int(state >> 33) % bound
            }
            let desk = desk()
            var owner: [Hash256: Int] = [:]
            var newest = 0
            let entered = Entered()
            var finished: [Hash256: GroupResult] = [:]
            func step() async throws {
                for item in try await desk.step().finished { finished[item.group.groupID] = item.group }
                #expect(await desk.versionsInMemory <= 2)
            }
            for number in 0..<40 {
                if next(6) == 0, newest < versions.count - 1 {
                    newest += 1
                    await desk.announce(versions[newest].version, versions[newest].files)
                }
                let version = next(4) == 0 ? next(newest + 1) : newest
                let request = request(number)
                let held = versions[version]
                Task {
                    try? await desk.add(request, version: held.version, held.files)
                    entered.count.withLock { $0 += 1 }
                }
                owner[request.groupID] = version
                if next(5) == 0, let victim = owner.keys.filter({ finished[$0] == nil }).min() {
                    await desk.cancel(victim)
                    owner[victim] = -1
                }
                for _ in 0..<next(4) { try await step() }
            }
            while finished.keys.filter({ owner[$0] != -1 }).count < owner.values.filter({ $0 != -1 }).count {
                try await step()
            }
            while entered.count.withLock({ $0 }) < 40 {
                // A cancellation may have overtaken its group.
                for (group, version) in owner where version == -1 { await desk.cancel(group) }
                try await step()
            }
            for (group, result) in finished where owner[group] != -1 {
                #expect(Int(result.version) == owner[group])
                #expect(try result.samples == alone(result.request, Int(result.version)))
            }
        }
    }

    @Test func wrongWeightsAreRefused() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let desk = desk()
        await #expect(throws: RoleFailure.self) {
            try await desk.add(request(1), version: versions[1].version, versions[2].files)
        }
        try await desk.add(request(1), version: versions[2].version, versions[2].files)
        await #expect(throws: GenerationError.self) {
            try await desk.add(request(1), version: versions[2].version, versions[2].files)
        }
    }

    @Test("what is retired is gone before the next version is read")
    func retiredWeightsAreGoneFirst() async throws {
        let retired = RetiredWeights()
        let loader = WeightLoader(kernels: kernels, tampering: nil, retired: retired)
        weak var old: ModelWeights?
        do {
            let weights = try ModelWeights(
                master: ModelInitializer.random(ModelShape.nano.configuration, seed: 9), kernels: kernels,
                pool: ComputePool(threads: 1))
            old = weights
            retired.leave(weights)
        }
        #expect(old != nil)
        // Files that cannot be read: whatever is loaded now, the old version went before.
        await #expect(throws: (any Error).self) {
            _ = try await loader.load(versions[0].version, PolicyFiles(model: folder.path + "/none", adapter: nil))
        }
        #expect(old == nil)
    }
}
