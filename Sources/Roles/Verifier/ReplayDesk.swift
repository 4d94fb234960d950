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

    /// Bytes for the key-value cache of one version.
    private static let cacheBytes = 512 << 20
    /// Groups come under the newest version and the few before it.
    private static let keptVersions = 4

    nonisolated let executor: ComputeExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let kernels: Kernels
    private let pool: ComputePool
    private var replayers: [UInt64: Replayer] = [:]

    init(kernels: Kernels, threads: Int) {
        self.kernels = kernels
        pool = ComputePool(threads: threads)
        executor = ComputeExecutor(name: "replay")
    }

    /// Loads a version, unless it is loaded.
    ///
    /// - Throws: A ``RoleFailure`` when the files hold other weights than the audit names.
    func adopt(_ version: PolicyVersion, directory: String) throws {
        guard replayers[version.number]?.weights.weightsHash != version.weightsHash else { return }
        let model = try ModelDirectory(opening: directory)
        let weights = try model.weights(kernels: kernels, pool: pool)
        guard weights.weightsHash == version.weightsHash else {
            throw RoleFailure(
                .badInput, "Version \(version.number) in \(directory) holds other weights than its audit names.",
                advice: "Delete the directory; it will be fetched again.")
        }
        replayers[version.number] = Replayer(
            weights: weights, kernels: kernels, pool: pool,
            limits: ReplayLimits(cacheBytes: Self.cacheBytes, configuration: model.configuration))
        // Never the one that was just loaded: an old version may be the one that is asked for.
        while replayers.count > Self.keptVersions,
            let oldest = replayers.keys.filter({ $0 != version.number }).min()
        { replayers[oldest] = nil }
    }

    /// Replays groups under a version, all in as few forward passes as memory allows; where that fails, one by one, so
    /// that a single odd group spoils no other audit.
    func replay(_ requests: [ReplayRequest], under version: PolicyVersion) throws -> [Result<ReplayResult, Fault>] {
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
