import Identity
import Logging
import Messages
import Orchestration
import Tensors
import Verification

/// Replays under versions that the origin still has, each fetched when it is needed: as a difference where an earlier one
/// is in memory.
actor RetainedVersions: BehaviourSource {
    private let run: Hash256
    private let cache: String
    private let desk: ReplayDesk
    private let log: Logger
    private var policies: PolicyStore?

    /// - Parameter cache: Where versions are kept that are needed again.
    init(run: Hash256, cache: String, threads: Int, kernels: Kernels, log: Logger) {
        self.run = run
        self.cache = cache
        self.log = log
        desk = ReplayDesk(kernels: kernels, threads: threads, cacheBytes: 1 << 30)
    }

    /// Notes where versions are to be had.
    func take(_ welcome: Wire.Welcome) throws {
        guard policies == nil, let trust = PublicKey(rawBytes: welcome.manifestKey) else { return }
        policies = try PolicyStore(relays: welcome.relays, trust: trust, run: run, directory: cache, log: log)
    }

    func replay(
        _ requests: [ReplayRequest], under version: PolicyVersion
    ) async throws -> [Result<ReplayResult, ReplayDesk.Fault>] {
        guard let policies else {
            throw RoleFailure(.fault, "the orchestrator has not said yet where versions are")
        }
        return try await desk.replay(requests, under: version) { try await policies.source(of: version, from: $0) }
    }

    func shutDown() async { await policies?.shutDown() }
}
