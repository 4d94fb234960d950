import Identity
import Orchestration
import Sampling
import Tensors
import Testing
import Verification

@testable import Roles
@testable import Transformer

/// A verifier's versions: made of each other in memory, or loaded, and the same bits either way.
@Suite(.serialized) struct ReplayDeskTests {
    private func request(_ number: UInt8) -> ReplayRequest {
        ReplayRequest(
            runID: .zero, groupID: SHA256.hash([number]), workerKey: SigningKey().publicKey,
            promptTokens: [3, 5, 8, 13],
            parameters: SamplingParameters(samples: 2, maximumTokens: 12, stopTokens: [1]),
            completions: [[7, 11, Int32(number), 4, 2], [9, 6]])
    }

    @Test("A replay is the same under a version that was made of another one and under its files")
    func revisions() async throws {
        let kernels = try Kernels.preferred()
        let run = try DriftingRun()
        let versions = try run.publish(8, ModelShape.nano.configuration, kernels: kernels)
        let store = try await run.member("verifier", kernels: kernels).store
        let desk = ReplayDesk(kernels: kernels, threads: 1, cacheBytes: 1 << 24)
        // 1 from files, 2 and then 4 and 8 by differences; 3 is older than what is here, and 1 had to go meanwhile.
        for (number, revisions) in [(1, 0), (2, 1), (4, 2), (5, 3), (8, 4), (3, 4), (1, 4), (8, 4)] {
            let version = versions[number - 1]
            let request = request(UInt8(number))
            let results = try await desk.replay([request], under: version) {
                try await store.source(of: version, from: $0)
            }
            let replayer = Replayer(
                weights: try run.loaded(version.number, kernels: kernels), kernels: kernels,
                pool: ComputePool(threads: 1), limits: ReplayLimits(pages: 64))
            let expected = try replayer.replay(request)
            #expect(try results.map { try $0.get() } == [expected], "version \(number)")
            #expect(await desk.revisions == revisions, "version \(number)")
        }
        await store.shutDown()
    }

    @Test("Audits of one version that come together load it once; a version that cannot be had is a fault")
    func together() async throws {
        let kernels = try Kernels.preferred()
        let run = try DriftingRun()
        let versions = try run.publish(2, ModelShape.nano.configuration, kernels: kernels)
        let store = try await run.member("verifier", kernels: kernels).store
        let desk = ReplayDesk(kernels: kernels, threads: 1, cacheBytes: 1 << 24)
        await #expect(throws: RoleFailure.self) {
            try await desk.adopt(versions[0]) { _ in throw RoleFailure(.unreachable, "no relay") }
        }
        try await desk.adopt(versions[0]) { try await store.source(of: versions[0], from: $0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try await desk.adopt(versions[1]) { try await store.source(of: versions[1], from: $0) }
                }
            }
            try await group.waitForAll()
        }
        #expect(await desk.revisions == 1)
        // Under a number that is known, other weights are another version.
        let other = PolicyVersion(number: 2, weightsHash: SHA256.hash([1]), step: 2)
        await #expect(throws: (any Error).self) {
            _ = try await desk.replay([request(1)], under: other) { try await store.source(of: other, from: $0) }
        }
        await store.shutDown()
    }
}
