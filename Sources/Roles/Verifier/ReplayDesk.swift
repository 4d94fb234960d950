import Identity
import Orchestration
import Tensors
import Transformer
import Verification

/// A verifier's arithmetic, on a thread of its own: one replayer per policy version that may still be asked for.
///
/// Versions are made ready beside the replays: of the weights of an earlier one where differences lead there, else of files.
actor ReplayDesk {
    /// Why one group could not be replayed, although others could.
    struct Fault: Error {
        let sentence: String
    }

    /// Brings what a version can be made of, given the newest version that is here; asked only for versions that are not.
    typealias Bring = @Sendable (_ base: PolicyVersion?) async throws -> PolicySource

    /// Groups come under the newest version and the few before it.
    private static let keptVersions = 4
    /// Bytes of weights beyond which fewer versions are kept: those of a large model are loaded again when asked for.
    private static let keptBytes = 3 << 30

    nonisolated let executor: ComputeExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let kernels: Kernels
    private let pool: ComputePool
    private let cacheBytes: Int
    private let loader: WeightLoader
    private let retired = RetiredWeights()
    private var replayers: [UInt64: Replayer] = [:]
    private var held: [UInt64: PolicyVersion] = [:]
    private var loads: [PolicyVersion: Task<String?, any Error>] = [:]
    /// Versions made of another one's weights so far.
    private(set) var revisions = 0

    init(kernels: Kernels, threads: Int, cacheBytes: Int) {
        self.kernels = kernels
        self.cacheBytes = cacheBytes
        loader = WeightLoader(kernels: kernels, tampering: nil, retired: retired)
        pool = ComputePool(threads: threads)
        executor = ComputeExecutor(name: "replay")
    }

    deinit { executor.stop() }

    /// Makes a version ready, unless it is.
    ///
    /// - Returns: A sentence for the log where its weights could not be shared with other processes.
    /// - Throws: What `bring` throws, or a ``RoleFailure`` when the files hold other weights than the audit names.
    @discardableResult
    func adopt(_ version: PolicyVersion, _ bring: @escaping Bring) async throws -> String? {
        guard held[version.number] != version else { return nil }
        let load = loads[version] ?? Task { try await self.load(version, bring) }
        loads[version] = load
        return try await load.value
    }

    private func load(_ version: PolicyVersion, _ bring: Bring) async throws -> String? {
        defer { loads[version] = nil }
        let source = try await bring(held.values.max { $0.number < $1.number })
        let base = source.differences.first.flatMap { held[$0.base.version] }
        let weights: ModelWeights
        var complaint: String?
        if let base, let revised = await revised(base, source, to: version) {
            weights = revised
            revisions += 1
        } else {
            let files = try await source.files()
            let bytes = try await loader.inspect(files).weightBytes
            makeRoom(bytes)
            weights = try await loader.load(version, files)
            complaint = weights.residence.complaint
        }
        makeRoom(weights.byteCount)
        replayers[version.number] = Replayer(
            weights: weights, kernels: kernels, pool: pool,
            limits: ReplayLimits(cacheBytes: cacheBytes, configuration: weights.configuration))
        held[version.number] = version
        return complaint
    }

    /// The version made of weights that are here; nil where it has to be read from its files.
    private func revised(_ base: PolicyVersion, _ source: PolicySource, to version: PolicyVersion) async
        -> ModelWeights?
    {
        guard let bytes = replayers[base.number]?.weights.byteCount else { return nil }
        // Room is made before the next version is there; what it is made of may be what has to go.
        makeRoom(bytes)
        return try? await loader.revise(replayers[base.number]?.weights, by: source.differences, to: version)
    }

    /// Lets go of the oldest versions, so that there is room for one more of so many bytes.
    private func makeRoom(_ bytes: Int) {
        let most = max(1, min(Self.keptVersions, Self.keptBytes / max(1, bytes)))
        while replayers.count >= most, let oldest = replayers.keys.min() {
            (replayers.removeValue(forKey: oldest)?.weights).map(retired.leave)
            held[oldest] = nil
        }
    }

    /// Replays groups under a version, all in as few forward passes as memory allows; where that fails, one by one, so
    /// that a single odd group spoils no other audit.
    ///
    /// - Throws: What `bring` throws, or a ``RoleFailure`` when the files hold other weights than the audits name.
    func replay(
        _ requests: [ReplayRequest], under version: PolicyVersion, _ bring: @escaping Bring
    ) async throws -> [Result<ReplayResult, Fault>] {
        // While others are made ready, this one may have to go.
        while held[version.number] != version { try await adopt(version, bring) }
        guard let replayer = replayers[version.number] else {
            throw RoleFailure(.fault, "Version \(version.number) is not loaded.")
        }
        if let results = try? replayer.replay(requests) { return results.map { .success($0) } }
        return requests.map { request in
            do throws(ReplayError) {
                return .success(try replayer.replay(request))
            } catch {
                return .failure(Fault(sentence: "\(error)"))
            }
        }
    }
}
