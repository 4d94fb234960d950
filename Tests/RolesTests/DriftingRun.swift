import Foundation
import Generation
import Identity
import Logging
import Orchestration
import Safetensors
import Sampling
import Shardcast
import Tensors

@testable import Roles
@testable import Transformer

/// A lab whose model drifts from version to version, behind a relay; and members that follow it.
final class DriftingRun: Sendable {
    let root: String
    private let key = SigningKey()
    private let origin: OriginDirectory
    private let relay: RelayServer
    private let serving: Task<Void, any Error>
    static let quiet = Logger(label: "drift") { _ in SwiftLogNoOpLogHandler() }

    init() throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("apus-drift-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        origin = try OriginDirectory(path: root + "/origin", run: .zero, key: key)
        let relay = try RelayServer(
            configuration: RelayConfiguration(
                source: .origin(directory: origin.path), trust: key.publicKey, run: .zero), logger: Self.quiet)
        self.relay = relay
        serving = Task { try await relay.run() }
    }

    deinit {
        serving.cancel()
        try? FileManager.default.removeItem(atPath: root)
    }

    /// Where a published version lies, for whoever wants to load it whole.
    func reference(_ number: UInt64) -> String { "\(root)/reference-v\(number)" }

    /// Random weights, those of vectors too.
    static func weights(_ configuration: ModelConfiguration, kernels: Kernels) throws -> ModelWeights {
        let master = ModelInitializer.random(configuration, seed: 5)
        for slice in master.layout.slices where slice.isVector {
            for index in master[slice].indices { master[slice][index] += Float(index % 5) / 64 }
        }
        return try ModelWeights(master: master, kernels: kernels, pool: ComputePool(threads: 1))
    }

    /// Publishes versions from 1 on, each 2 % away from the one before.
    ///
    /// - Parameter companion: changes with the version; `config.json` gets a field that nobody reads where it ends in `!`.
    func publish(
        _ count: Int, _ configuration: ModelConfiguration, kernels: Kernels,
        companion: (UInt64) -> String = { _ in "{}" }
    ) throws -> [PolicyVersion] {
        var weights = try Self.weights(configuration, kernels: kernels)
        return try (1...UInt64(count)).map { number in
            if number > 1 {
                var drift = WeightDrift(share: 0.02, seed: number)
                weights = try weights.revised(by: &drift)
            }
            let text = companion(number)
            let path = reference(number)
            try weights.write(
                directory: path, generation: GenerationConfiguration(stopTokens: [1]),
                companions: ["tokenizer_config.json": Array(text.utf8)])
            if text.hasSuffix("!") {
                let file = URL(fileURLWithPath: path + "/config.json")
                let config = try String(contentsOf: file, encoding: .utf8)
                try "{\"_note\": \"\(number)\",\(config.dropFirst())".write(to: file, atomically: true, encoding: .utf8)
            }
            return try publish(number, weights.weightsHash)
        }
    }

    /// Publishes what lies at ``reference(_:)``.
    func publish(_ number: UInt64, _ hash: Hash256) throws -> PolicyVersion {
        try origin.publish(
            modelDirectory: reference(number), version: number, step: number, weightsHash: hash,
            anchors: AnchorPolicy(interval: 4))
        return PolicyVersion(number: number, weightsHash: hash, step: number)
    }

    /// A member with a directory of its own, which goes on where an earlier one of the same name was killed.
    func member(_ name: String, kernels: Kernels, pause: Duration = .seconds(3600)) async throws -> Member {
        let port = try await relay.listeningPort()
        return Member(
            store: try PolicyStore(
                relays: ["http://127.0.0.1:\(port)"], trust: key.publicKey, run: .zero,
                directory: "\(root)/\(name)", pause: pause, log: Self.quiet),
            desk: GenerationDesk(
                kernels: kernels, threads: 1, context: GenerationContext(runID: .zero, workerKey: nil),
                capacity: GenerationCapacity(sequences: 16, cacheBytes: 1 << 24), tampering: nil, log: Self.quiet),
            kernels: kernels)
    }

    /// What a group gives under a version that was loaded from its files.
    func expected(_ request: GroupRequest, _ number: UInt64, kernels: Kernels) throws -> [SampleResult] {
        let weights = try loaded(number, kernels: kernels)
        let engine = GenerationEngine(
            weights: weights, kernels: kernels, pool: ComputePool(threads: 1),
            context: GenerationContext(runID: .zero, workerKey: nil),
            limits: GenerationLimits(sequences: 16, pages: 1024))
        try engine.add(request)
        while true {
            if let group = try engine.step().first { return group.samples }
        }
    }

    func loaded(_ number: UInt64, kernels: Kernels) throws -> ModelWeights {
        try ModelDirectory(opening: reference(number)).weights(
            kernels: kernels, pool: ComputePool(threads: 1), cache: nil)
    }

    static func request(_ number: Int, tokens: Int = 12) -> GroupRequest {
        GroupRequest(
            groupID: SHA256.hash([UInt8(number & 255), UInt8(number >> 8)]),
            promptTokens: (0..<1 + number % 9).map { Int32(($0 * 7 + number) % 100) },
            parameters: SamplingParameters(samples: 2, maximumTokens: tokens, stopTokens: [1]))
    }
}

/// A worker without an orchestrator: a store and a desk.
struct Member: Sendable {
    let store: PolicyStore
    let desk: GenerationDesk
    let kernels: Kernels

    func source(_ version: PolicyVersion) async throws -> PolicySource {
        try await store.source(of: version, from: await desk.newest)
    }

    /// Goes over to a version and generates a group under it.
    func generate(_ request: GroupRequest, _ version: PolicyVersion) async throws -> GroupResult {
        try await desk.add(request, version: version, try await source(version))
        return try await finish(request.groupID)
    }

    func finish(_ group: Hash256) async throws -> GroupResult {
        while true {
            let (finished, isIdle) = try await desk.step()
            if let item = finished.first(where: { $0.group.groupID == group }) { return item.group }
            if isIdle { try await Task.sleep(for: .milliseconds(1)) }
        }
    }
}

extension GenerationDesk {
    /// The packed block of a version in memory, padding included.
    func block(of version: UInt64) -> [BFloat16Bits]? {
        engine?.weights(of: version).map { weights in withExtendedLifetime(weights) { Array(weights.memory.buffer) } }
    }

    /// What faulty memory does; false where the version is not here.
    func flipBit(of version: UInt64, at place: Int) -> Bool {
        guard let weights = engine?.weights(of: version) else { return false }
        weights.memory.pointer[place % weights.memory.count] ^= 4
        return true
    }

    var loadedVersions: [UInt64] { engine?.versions ?? [] }
}

extension ModelWeights {
    var block: [BFloat16Bits] { withExtendedLifetime(self) { Array(memory.buffer) } }
}
