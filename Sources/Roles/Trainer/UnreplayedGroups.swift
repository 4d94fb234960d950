import Foundation
import Identity
import Logging
import Messages
import Orchestration
import Sampling
import Tensors
import Verification

/// Log-probabilities of groups that no verifier replayed, computed under the retained weights of their version.
///
/// A worker's own are never used in their place. Where they differ, by a single bit, the group is left out of the step,
/// and the orchestrator is told.
actor UnreplayedGroups {
    private let run: Hash256
    private let sampling: SamplingParameters
    private let cache: String
    private let record: BehaviourRecord
    private let desk: ReplayDesk
    private let log: Logger
    private var policies: PolicyStore?

    /// - Parameters:
    ///   - cache: Where versions are kept that are needed again.
    ///   - record: What was computed for steps that may have to be made again.
    init(
        run: Hash256, sampling: SamplingParameters, cache: String, record: BehaviourRecord, threads: Int,
        kernels: Kernels, log: Logger
    ) {
        self.run = run
        self.sampling = sampling
        self.cache = cache
        self.record = record
        self.log = log
        desk = ReplayDesk(kernels: kernels, threads: threads, cacheBytes: 1 << 30)
    }

    /// Notes where versions are to be had.
    func take(_ welcome: Wire.Welcome) throws {
        guard policies == nil, let trust = PublicKey(rawBytes: welcome.manifestKey) else { return }
        policies = try PolicyStore(relays: welcome.relays, trust: trust, run: run, directory: cache, log: log)
    }

    /// A batch with all its log-probabilities, without the groups whose worker reported other ones.
    ///
    /// - Throws: A ``RoleFailure`` where a version cannot be had or a group cannot be computed.
    func complete(
        _ groups: [Wire.TrainingGroup], step: UInt64
    ) async throws -> (groups: [Wire.TrainingGroup], doubted: [Data]) {
        var groups = groups
        let places = groups.indices.filter { groups[$0].samples.contains { $0.behaviourLogProbabilities.isEmpty } }
        guard !places.isEmpty else { return (groups, []) }
        let known = record.groups(ofStep: step)
        for place in places where known[groups[place].groupHash] != nil {
            groups[place] = known[groups[place].groupHash] ?? groups[place]
        }
        let unknown = places.filter { known[groups[$0].groupHash] == nil }
        for (version, places) in Dictionary(grouping: unknown, by: { groups[$0].version }) {
            try await complete(&groups, places, version)
        }
        if !unknown.isEmpty { record.keep(places.map { groups[$0] }, ofStep: step) }
        let doubted = places.filter { place in
            groups[place].samples.contains { sample in
                sample.behaviourLogProbabilities.map(\.bitPattern) != sample.reportedLogProbabilities.map(\.bitPattern)
            }
        }
        let hashes = doubted.map { groups[$0].groupHash }
        // A step needs something to learn from; of a batch that is all doubt, nothing better is to be had.
        guard !doubted.isEmpty, doubted.count < groups.count else { return (groups, hashes) }
        log.warning("\(doubted.count) groups report other log-probabilities than their weights give; left out")
        let left = Set(doubted)
        return (groups.indices.filter { !left.contains($0) }.map { groups[$0] }, hashes)
    }

    private func complete(
        _ groups: inout [Wire.TrainingGroup], _ places: [Int], _ version: Wire.PolicyVersion
    ) async throws {
        guard let policies, let policy = PolicyVersion(version) else {
            throw RoleFailure(.fault, "A batch names a version before the orchestrator said where versions are.")
        }
        let requests = try places.map { place in
            guard let request = ReplayRequest(groups[place], run: run, sampling) else {
                throw RoleFailure(.fault, "A group of the batch has a key or hash of the wrong length.")
            }
            return request
        }
        let results = try await desk.replay(requests, under: policy, try await policies.files(of: policy))
        for (place, result) in zip(places, results) {
            switch result {
            case .failure(let fault):
                throw RoleFailure(.fault, "The log-probabilities of a group cannot be computed: \(fault.sentence)")
            case .success(let replay):
                for (index, sample) in replay.samples.enumerated() {
                    groups[place].samples[index].behaviourLogProbabilities = sample.logProbabilities
                }
            }
        }
    }

    /// Forgets what was computed for steps that a STABLE checkpoint covers.
    func forget(through step: UInt64) { record.forget(through: step) }

    func shutDown() async { await policies?.shutDown() }
}

extension ReplayRequest {
    /// What the trainer got of a group; nil when a key or hash has the wrong length.
    fileprivate init?(_ group: Wire.TrainingGroup, run: Hash256, _ sampling: SamplingParameters) {
        guard let id = Hash256([UInt8](group.groupID)), let worker = PublicKey(rawBytes: group.workerKey) else {
            return nil
        }
        self.init(
            runID: run, groupID: id, workerKey: worker,
            promptTokens: group.promptTokens.map(Int32.init(bitPattern:)), parameters: sampling,
            completions: group.samples.map { $0.tokens.map(Int32.init(bitPattern:)) })
    }
}
