import Foundation
import Fuzzing
import Generation
import Identity
import JSON
import Logging
import Messages
import Orchestration
import Sampling
import Tensors
import Testing
import Transformer
import Verification

@testable import Roles

/// A worker whose groups a completions server generates: what it hands in, and how that is judged.
@Suite struct ForeignEngineTests {
    private let kernels: Kernels
    private let pool = ComputePool(threads: 1)
    private let run = SHA256.hash([4])
    private let worker: SigningKey
    private let model: TemporaryModel

    init() throws {
        kernels = try .preferred()
        worker = try #require(SigningKey(seed: [UInt8](repeating: 1, count: 32)))
        model = try TemporaryModel(seed: 3)
    }

    /// A nano model on disk.
    private final class TemporaryModel: Sendable {
        let path = NSTemporaryDirectory() + "apus-foreign-\(UUID().uuidString)"
        let weights: ModelWeights

        init(seed: UInt64) throws {
            let kernels = try Kernels.preferred()
            let pool = ComputePool(threads: 1)
            let master = ModelInitializer.random(ModelShape.nano.configuration, seed: seed)
            // Larger embeddings than the initializer's, so that distributions are far from uniform.
            for index in master.layout.embedding.range { master.values[index] *= 4 }
            weights = try ModelWeights(master: master, kernels: kernels, pool: pool)
            try weights.write(directory: path, generation: GenerationConfiguration(stopTokens: []))
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private func lease(_ number: UInt8, version: PolicyVersion) throws -> HeldLease {
        var lease = Wire.Lease()
        lease.leaseID = UInt64(number)
        lease.groupID = .init(SHA256.hash([number]).bytes)
        lease.version = version.wire
        lease.environmentID = "digit-sort"
        lease.environmentHash = .init(SHA256.hash([8]).bytes)
        lease.promptTokens = [50, 51, 52, UInt32(48 + number % 10), 62]
        lease.sampling = SamplingParameters(samples: 3, maximumTokens: 40, stopTokens: [10, 11]).wire
        return try #require(HeldLease(lease))
    }

    private func version(_ number: UInt64, of model: TemporaryModel) -> PolicyVersion {
        PolicyVersion(number: number, weightsHash: model.weights.weightsHash, step: number)
    }

    private func desk(_ server: SimulatedServer) throws -> ForeignDesk {
        ForeignDesk(
            run: run, engine: try server.settings(), log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func evidence(_ group: GroupResult, _ lease: HeldLease) throws -> GroupEvidence {
        let payload = lease.payload(
            group, run: run.bytes, worker: worker.publicKey, arithmeticVersion: ArithmeticVersion.current,
            engine: "openai")
        return try #require(GroupEvidence(Wire.GroupPayload(strict: payload.signedBytes)))
    }

    private func verdict(_ evidence: GroupEvidence, _ policy: Verification.AuditPolicy) throws -> Verdict {
        let terms = LeaseTerms(claimedBy: evidence)
        let configuration = model.weights.configuration
        let rules = AuditRules(
            schemaVersion: SchemaVersion.current, arithmeticVersion: ArithmeticVersion.current,
            vocabularySize: configuration.vocabularySize, hiddenSize: configuration.hiddenSize, policy: policy)
        if let rejection = Checks.examine(evidence, terms: terms, rules: rules) { return .rejected(rejection) }
        let replayer = Replayer(weights: model.weights, kernels: kernels, pool: pool, limits: ReplayLimits(pages: 512))
        return Checks.judge(
            evidence, terms: terms, rules: rules, replay: try replayer.replay(ReplayRequest(evidence, terms: terms)))
    }

    private func generate(_ server: SimulatedServer, _ count: UInt8 = 6) async throws -> [GroupEvidence] {
        let desk = try desk(server)
        let version = version(7, of: model)
        let files = PolicyFiles(model: model.path, adapter: nil)
        let leases = try (1...count).map { try lease($0, version: version) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lease in leases {
                group.addTask { try await desk.add(lease.request, version: version, files) }
            }
            try await group.waitForAll()
        }
        let finished = await desk.step().finished
        #expect(finished.count == leases.count)
        return try finished.map { item in
            try evidence(item.group, try #require(leases.first { $0.request.groupID == item.group.groupID }))
        }
    }

    @Test func honestButDifferentPassesToplocAndFailsExact() async throws {
        let server = try await SimulatedServer(SimulatedEngine(noise: 0.01))
        var differing = 0
        for evidence in try await generate(server) {
            #expect(evidence.engine == "openai" && evidence.samples.allSatisfy { $0.commitments.isEmpty })
            guard case .accepted(let statistics) = try verdict(evidence, .toploc(ForeignEnginePolicy())) else {
                Issue.record(
                    "an honest foreign group is rejected: \(try verdict(evidence, .toploc(ForeignEnginePolicy())))")
                continue
            }
            differing += statistics.mantissaErrorMean > 0 ? 1 : 0
            guard case .rejected(let rejection) = try verdict(evidence, .exact) else {
                Issue.record("a foreign group passes exact")
                continue
            }
            #expect(rejection.check == "proof-structure", "it has no commitments")
        }
        #expect(differing == 6)
        #expect(await server.engine.loaded == [model.path], "one version is loaded once")
    }

    @Test func otherWeightsFailBoth() async throws {
        let other = try TemporaryModel(seed: 4)
        // The server says that it loaded what it was told to, and computes with something else.
        let server = try await SimulatedServer(SimulatedEngine(noise: 0.01, weights: other.weights, isStubborn: true))
        for evidence in try await generate(server) {
            for policy in [.exact, .toploc(ForeignEnginePolicy())] as [Verification.AuditPolicy] {
                guard case .rejected = try verdict(evidence, policy) else {
                    Issue.record("other weights pass \(policy)")
                    continue
                }
            }
        }
    }

    /// An engine without our noise chose its own luck.
    @Test func anotherSeedFails() async throws {
        let server = try await SimulatedServer(SimulatedEngine(noise: 0.01))
        let desk = ForeignDesk(
            run: SHA256.hash([5]), engine: try server.settings(),
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let version = version(7, of: model)
        let lease = try lease(1, version: version)
        try await desk.add(lease.request, version: version, PolicyFiles(model: model.path, adapter: nil))
        let group = try #require(await desk.step().finished.first).group
        guard case .rejected(let rejection) = try verdict(evidence(group, lease), .toploc(ForeignEnginePolicy())) else {
            Issue.record("tokens of another seed pass")
            return
        }
        #expect(rejection.check == "margin")
    }

    @Test func versionsTakeTurns() async throws {
        let server = try await SimulatedServer(SimulatedEngine(noise: 0.01))
        let other = try TemporaryModel(seed: 5)
        let desk = try desk(server)
        let versions = [version(7, of: model), version(8, of: other)]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...8 as ClosedRange<UInt8> {
                let version = versions[Int(number % 2)]
                let lease = try lease(number, version: version)
                let files = PolicyFiles(model: number % 2 == 0 ? model.path : other.path, adapter: nil)
                group.addTask { try await desk.add(lease.request, version: version, files) }
            }
            try await group.waitForAll()
        }
        let finished = await desk.step().finished
        #expect(finished.count == 8 && finished.allSatisfy { $0.group.samples.count == 3 })
    }

    @Test func serverThatMisbehavesCostsNoStrike() async throws {
        let version = version(7, of: model)
        let files = PolicyFiles(model: model.path, adapter: nil)
        func failure(_ tamper: @escaping @Sendable ([UInt8]) -> [UInt8]) async throws -> String {
            let server = try await SimulatedServer(SimulatedEngine(noise: 0), tamper: tamper)
            do {
                try await desk(server).add(try lease(1, version: version).request, version: version, files)
                return ""
            } catch let fault as CompletionFault {
                return fault.description
            }
        }
        #expect(try await failure { $0 } == "")
        #expect(try await failure { _ in [0x7B] }.contains("not JSON"))
        #expect(try await failure { $0.dropLast(9) }.contains("not JSON"))
        #expect(try await failure { _ in [UInt8](repeating: 0x20, count: 4 << 20) }.contains("longer than"))
        #expect(
            try await failure {
                [UInt8](String(decoding: $0, as: UTF8.self).replacing("bfloat16", with: "float32").utf8)
            }
            .contains("dtype"))
        await #expect(throws: RoleFailure.self) {
            try await ForeignDesk(
                run: run, engine: ForeignEngine(kind: .openai, server: "http://127.0.0.1:1/v1", model: "m"),
                log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            ).add(try lease(1, version: version).request, version: version, files)
        }
        let adapter = PolicyFiles(model: model.path, adapter: "/nowhere")
        let server = try await SimulatedServer(SimulatedEngine(noise: 0))
        await #expect(throws: RoleFailure.self) {
            try await desk(server).add(try lease(1, version: version).request, version: version, adapter)
        }
    }

    /// `apus audit-report --engine` asks as a worker asks.
    @Test func serversAreMeasuredAsWorkersUseThem() async throws {
        let server = try await SimulatedServer(SimulatedEngine(noise: 0.01))
        let terms = (1...5 as ClosedRange<UInt8>).map { number in
            var terms = LeaseTerms(
                runID: run, leaseID: UInt64(number), groupID: SHA256.hash([number]), attempt: 0,
                workerKey: worker.publicKey, policyVersion: 7, weightsHash: model.weights.weightsHash,
                environmentID: "digit-sort", environmentHash: SHA256.hash([8]), engine: "openai",
                promptTokens: [50, 51, Int32(number)],
                parameters: SamplingParameters(samples: 2, maximumTokens: 40, stopTokens: [10]))
            terms.parameters.temperature = 0.8
            return terms
        }
        let groups = ServedGroups(
            try server.settings(requests: 3), model: model.path, configuration: model.weights.configuration,
            weightsHash: model.weights.weightsHash)
        var heard: [Int] = []
        let evidence = try await groups.generate(terms) { heard.append($0) }
        #expect(evidence.map(\.groupID) == terms.map(\.groupID) && heard == [1, 2, 3, 4, 5])
        for var item in evidence {
            item.schemaVersion = SchemaVersion.current
            guard case .accepted = try verdict(item, .toploc(ForeignEnginePolicy())) else {
                Issue.record("\(try verdict(item, .toploc(ForeignEnginePolicy())))")
                continue
            }
        }
    }

    @Test func addressesAreChecked() throws {
        for bad in ["", "127.0.0.1:8000", "ftp://x/v1", "http://", "file:///v1", "http://h/v1?x=1"] {
            #expect(throws: RoleFailure.self, "\(bad)") { try ForeignEngine(kind: .openai, server: bad, model: "m") }
        }
        let engine = try ForeignEngine(kind: .openai, server: "http://host:8000/v1/", model: "m")
        #expect(engine.completions == "http://host:8000/v1/completions")
        #expect(engine.weights == "http://host:8000/update_weights_from_disk")
    }
}
