import Identity
import Orchestration
import Tensors
import Transformer
import Verification

/// A verifier's arithmetic, on a thread of its own: one replayer per policy version that may still be asked for.
actor ReplayDesk {
    /// Why one group could not be replayed, although others could.
    struct Fault: Error {
        let sentence: String
    }

    /// Groups come under the newest version and the few before it.
    private static let keptVersions = 4
    /// Bytes of weights beyond which fewer versions are kept: those of a large model are loaded again when asked for.
    private static let keptBytes = 6 << 30

    nonisolated let executor: ComputeExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let kernels: Kernels
    private let pool: ComputePool
    private let cacheBytes: Int
    private var replayers: [UInt64: Replayer] = [:]

    init(kernels: Kernels, threads: Int, cacheBytes: Int) {
        self.kernels = kernels
        self.cacheBytes = cacheBytes
        pool = ComputePool(threads: threads)
        executor = ComputeExecutor(name: "replay")
    }

    /// Loads a version, unless it is loaded.
    ///
    /// - Returns: A sentence for the log where its weights could not be shared with other processes.
    /// - Throws: A ``RoleFailure`` when the files hold other weights than the audit names.
    func adopt(_ version: PolicyVersion, _ files: PolicyFiles) throws -> String? {
        guard replayers[version.number]?.weights.weightsHash != version.weightsHash else { return nil }
        let model = try ModelDirectory(opening: files.model)
        let most = max(1, min(Self.keptVersions, Self.keptBytes / ModelInspection(model).weightBytes))
        // Room is made before the next version is loaded.
        while replayers.count >= most, let oldest = replayers.keys.min() { replayers[oldest] = nil }
        let weights = try files.weights(kernels: kernels, pool: pool, expected: version.weightsHash)
        guard weights.weightsHash == version.weightsHash else {
            throw RoleFailure(
                .badInput, "Version \(version.number) in \(files.place) holds other weights than its audit names.",
                advice: "Delete the directory; it will be fetched again.")
        }
        replayers[version.number] = Replayer(
            weights: weights, kernels: kernels, pool: pool,
            limits: ReplayLimits(cacheBytes: cacheBytes, configuration: model.configuration))
        return weights.residence.complaint
    }

    /// Replays groups under a version, all in as few forward passes as memory allows; where that fails, one by one, so
    /// that a single odd group spoils no other audit.
    ///
    /// The version is loaded again here where another one took its place since it was adopted: in between, this actor
    /// may have run the adoption of a newer version.
    ///
    /// - Throws: A ``RoleFailure`` when the files hold other weights than the audits name.
    func replay(
        _ requests: [ReplayRequest], under version: PolicyVersion, _ files: PolicyFiles
    ) throws -> [Result<ReplayResult, Fault>] {
        _ = try adopt(version, files)
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
