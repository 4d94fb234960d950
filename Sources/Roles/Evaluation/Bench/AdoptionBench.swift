import Foundation
import Generation
import Identity
import Logging
import Orchestration
import Proofs
import Sampling
import Shardcast
import Tensors
import Transformer

/// Times the change to the next version of the weights while groups are generated: origin, relay, client and engine on this
/// machine.
///
/// Versions drift as an optimizer's do: a share of the values moves by one unit in the last place. They are taken in by turns
/// from their files, as after a restart, and as differences to the weights in memory.
public struct AdoptionBench: Sendable {
    /// One change of versions.
    public struct Line: Encodable, Sendable {
        /// `files` or `memory`.
        public let way: String
        /// Bytes of the difference.
        public let differenceBytes: UInt64
        /// From the announcement to the first group that can begin under the version.
        public let totalSeconds: Double
        /// Of these: bringing the difference, and making the files where they are read.
        public let fetchSeconds: Double
        /// Of these: making the weights ready, beside generation.
        public let applySeconds: Double
        /// How long generation stood still between two steps.
        public let pauseMilliseconds: Double
        /// Processor time of the whole process, generation included.
        public let processorSeconds: Double
        /// Generated meanwhile.
        public let tokensPerSecond: Double
        /// Sequences that were generated at a time.
        public let sequences: Int
    }

    private let model: String
    private let directory: String
    private let kernels: Kernels
    private let threads: Int
    private let log = Logger(label: "apus.bench.adopt") { _ in SwiftLogNoOpLogHandler() }

    /// A bench of a model.
    ///
    /// - Parameter directory: an empty one for all files; the caller removes it.
    public init(model: String, directory: String, kernels: Kernels, threads: Int) {
        self.model = model
        self.directory = directory
        self.kernels = kernels
        self.threads = threads
    }

    /// Changes versions `2 × rounds` times.
    ///
    /// - Parameters:
    ///   - changed: the share of values that differ between neighbouring versions.
    ///   - sequences: how many are generated all the while; 0 for none.
    public func run(
        rounds: Int, changed: Double, sequences: Int, report: @Sendable (Line) throws -> Void
    ) async throws {
        let key = SigningKey()
        let origin = try OriginDirectory(path: directory + "/origin", run: .zero, key: key)
        let relay = try RelayServer(
            configuration: RelayConfiguration(
                source: .origin(directory: origin.path), trust: key.publicKey, run: .zero), logger: log)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await relay.run() }
            defer { group.cancelAll() }
            let port = try await relay.listeningPort()
            let store = try PolicyStore(
                relays: ["http://127.0.0.1:\(port)"], trust: key.publicKey, run: .zero,
                directory: directory + "/member", pause: .seconds(3600), log: log)
            try await measure(origin, store, rounds, changed, sequences, report)
            await store.shutDown()
        }
    }

    private func measure(
        _ origin: OriginDirectory, _ store: PolicyStore, _ rounds: Int, _ changed: Double, _ sequences: Int,
        _ report: @Sendable (Line) throws -> Void
    ) async throws {
        let pool = ComputePool(threads: threads)
        var weights = try ModelDirectory(opening: model).weights(kernels: kernels, pool: pool, cache: nil)
        let desk = GenerationDesk(
            kernels: kernels, threads: threads, context: GenerationContext(runID: .zero, workerKey: nil),
            capacity: GenerationCapacity(sequences: max(1, sequences), cacheBytes: 1 << 30), tampering: nil, log: log)
        let work = BenchWork(desk, sequences: sequences)
        let first = try publish(weights, 1, origin).version
        try await work.change(to: first, PolicySource(try await store.files(of: first)))
        let stepping = Task { try await work.steps() }
        defer { stepping.cancel() }
        for number in 2...UInt64(2 * rounds + 1) {
            var drift = WeightDrift(share: changed, seed: number)
            weights = try weights.revised(by: &drift)
            let (version, bytes) = try publish(weights, number, origin)
            // As if generation had gone on for a while.
            try await Task.sleep(for: .milliseconds(500))
            let isInMemory = number % 2 == 1
            let (began, time, tokens) = (ContinuousClock.now, Self.processorSeconds, await desk.tokensGenerated)
            let source =
                isInMemory
                ? try await store.source(of: version, from: await desk.newest)
                : PolicySource(try await store.files(of: version))
            let fetched = ContinuousClock.now
            try await work.change(to: version, source)
            let total = began.duration(to: .now) / .seconds(1)
            let (spent, made) = (Self.processorSeconds - time, await desk.tokensGenerated - tokens)
            let adoption = try await work.adoption(of: version)
            try report(
                Line(
                    way: adoption.isRevised ? "memory" : "files", differenceBytes: bytes, totalSeconds: total,
                    fetchSeconds: began.duration(to: fetched) / .seconds(1), applySeconds: adoption.applySeconds,
                    pauseMilliseconds: adoption.pauseSeconds * 1000, processorSeconds: spent,
                    tokensPerSecond: Double(made) / total, sequences: sequences))
            // The next change reads files that are made from these.
            _ = try await store.files(of: version)
        }
    }

    private func publish(
        _ weights: ModelWeights, _ number: UInt64, _ origin: OriginDirectory
    ) throws -> (version: PolicyVersion, bytes: UInt64) {
        let draft = directory + "/draft"
        try? FileManager.default.removeItem(atPath: draft)
        try weights.write(directory: draft, generation: GenerationConfiguration(stopTokens: []))
        let published = try origin.publish(
            modelDirectory: draft, version: number, step: number, weightsHash: weights.weightsHash, taking: true)
        return (PolicyVersion(number: number, weightsHash: weights.weightsHash, step: number), published.bytes)
    }

    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// Keeps a desk busy with groups of the newest version.
private actor BenchWork {
    private let desk: GenerationDesk
    private let sequences: Int
    private var version: (version: PolicyVersion, source: PolicySource)?
    private var count = 0
    private static let samples = 8

    init(_ desk: GenerationDesk, sequences: Int) {
        self.desk = desk
        self.sequences = sequences
    }

    /// Returns when a group under a version can begin; new groups are of that version from then on.
    func change(to version: PolicyVersion, _ source: PolicySource) async throws {
        let isFirst = self.version == nil
        await desk.announce(version, source)
        try await desk.add(request(samples: 1, tokens: 1), version: version, source)
        self.version = (version, source)
        if isFirst { for _ in 0..<sequences / Self.samples { try await addGroup() } }
    }

    /// What going over to a version took, once a step was made after it.
    func adoption(of version: PolicyVersion) async throws -> Adoption {
        while true {
            if let adoption = await desk.adoption, adoption.version == version.number { return adoption }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    func steps() async throws {
        while !Task.isCancelled {
            let outcome = try await desk.step()
            for item in outcome.finished where item.group.request.parameters.samples > 1 { try await addGroup() }
            if outcome.isIdle { try await Task.sleep(for: .milliseconds(1)) }
        }
    }

    private func addGroup() async throws {
        guard let version else { return }
        try await desk.add(
            request(samples: Self.samples, tokens: 64), version: version.version, version.source)
    }

    private func request(samples: Int, tokens: Int) -> GroupRequest {
        count += 1
        return GroupRequest(
            groupID: EngineBench.group(count), promptTokens: EngineBench.tokens(32, seed: count, vocabulary: 64),
            parameters: SamplingParameters(samples: samples, maximumTokens: tokens, stopTokens: []))
    }
}

/// Moves a share of all values by one unit in the last place.
struct WeightDrift: WeightsRevision {
    let blockElements = 1 << 20
    private let threshold: UInt64
    private var state: UInt64

    init(share: Double, seed: UInt64) {
        threshold = UInt64(min(max(share, 0), 1) * Double(1 << 32))
        state = seed
    }

    func begin(_ tensor: TensorSlice) -> Bool { true }

    mutating func revise(_ block: UnsafeMutableBufferPointer<UInt16>) {
        for index in block.indices {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // Values far from zero and from infinity.
            guard state >> 32 < threshold, 0x1000...0x7000 ~= block[index] & 0x7FFF else { continue }
            block[index] = state & 1 << 20 == 0 ? block[index] &+ 1 : block[index] &- 1
        }
    }
}
