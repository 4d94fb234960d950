import Foundation
import Identity
import Logging
import Messages
import Orchestration
import Sampling
import Verification

/// Where the log-probabilities of groups come from that no verifier replayed.
protocol BehaviourSource: Sendable {
    /// Replays groups under a version: a result for each, in order.
    ///
    /// - Throws: Where the version itself cannot be had.
    func replay(
        _ requests: [ReplayRequest], under version: PolicyVersion
    ) async throws -> [Result<ReplayResult, ReplayDesk.Fault>]
}

/// Log-probabilities of groups that no verifier replayed, computed under the retained weights of their version.
///
/// A worker's own are never used in their place. Where they differ, by a single bit, or where a token is not the one that
/// the noise dictates, the group is left out of the step, and the orchestrator is told; so is one that cannot be computed.
/// What is wrong with one group costs that group, never the step.
actor UnreplayedGroups {
    /// A batch that can be trained on.
    struct Completed: Sendable {
        /// The groups to learn from; none where every group of the batch was left out.
        var groups: [Wire.TrainingGroup]
        /// Hashes of the groups whose worker reported other log-probabilities, or other tokens than the noise dictates.
        var doubted: [Data] = []
        /// The groups that could not be computed, and why.
        var unavailable: [Wire.UnavailableGroup] = []
    }

    private let run: Hash256
    private let sampling: SamplingParameters
    private let policies: AuditPolicies
    private let source: any BehaviourSource
    private let record: BehaviourRecord
    private let log: Logger

    /// - Parameters:
    ///   - policies: Whose tokens need not be those that the noise dictates.
    ///   - source: What replays groups.
    ///   - record: What was computed for steps that may have to be made again.
    init(
        run: Hash256, sampling: SamplingParameters, policies: AuditPolicies = AuditPolicies(),
        source: any BehaviourSource, record: BehaviourRecord, log: Logger
    ) {
        self.run = run
        self.sampling = sampling
        self.policies = policies
        self.source = source
        self.record = record
        self.log = log
    }

    /// A batch with all its log-probabilities, without the groups whose worker reported other ones and without those that
    /// cannot be computed.
    ///
    /// - Throws: `CancellationError` only.
    func complete(_ groups: [Wire.TrainingGroup], step: UInt64) async throws -> Completed {
        var groups = groups
        let known = record.groups(ofStep: step)
        // What was computed before stays as it was, also where a verifier's numbers have come for it meanwhile.
        let places = groups.indices.filter { !groups[$0].isComputed || known[groups[$0].groupHash] != nil }
        guard !places.isEmpty else { return Completed(groups: groups) }
        var reasons: [Int: String] = [:]
        for place in places {
            guard let earlier = known[groups[place].groupHash] else { continue }
            groups[place] = earlier
            // The step must come out as it did before.
            if !earlier.isComputed { reasons[place] = "it was left out when the step was made before" }
        }
        let unknown = places.filter { known[groups[$0].groupHash] == nil }
        // From the oldest version on, since each may be made of the one before.
        let versions = Dictionary(grouping: unknown, by: { groups[$0].version }).sorted {
            $0.key.number < $1.key.number
        }
        for (version, places) in versions {
            try await compute(&groups, places, version, &reasons)
        }
        if !unknown.isEmpty { record.keep(places.map { groups[$0] }, ofStep: step) }

        var completed = Completed(groups: [])
        for (place, group) in groups.enumerated() {
            if let reason = reasons[place] {
                completed.unavailable.append(.init(group, reason))
                log.warning(
                    "a group is left out: its log-probabilities cannot be computed", metadata: ["reason": "\(reason)"])
            } else if !group.isReportedTruly {
                completed.doubted.append(group.groupHash)
            } else {
                completed.groups.append(group)
            }
        }
        if !completed.doubted.isEmpty {
            log.warning(
                "\(completed.doubted.count) groups report other tokens or log-probabilities than their weights give; left out"
            )
        }
        return completed
    }

    private func compute(
        _ groups: inout [Wire.TrainingGroup], _ places: [Int], _ version: Wire.PolicyVersion,
        _ reasons: inout [Int: String]
    ) async throws {
        var requests: [ReplayRequest] = []
        var asked: [Int] = []
        for place in places {
            if let request = ReplayRequest(groups[place], run: run, sampling) {
                requests.append(request)
                asked.append(place)
            } else {
                reasons[place] = "a key or hash of it has the wrong length"
            }
        }
        guard !requests.isEmpty else { return }
        let results: [Result<ReplayResult, ReplayDesk.Fault>]
        do {
            guard let policy = PolicyVersion(version) else {
                throw RoleFailure(.fault, "the hash of its version has the wrong length")
            }
            results = try await source.replay(requests, under: policy)
        } catch let error as CancellationError {
            throw error
        } catch {
            for place in asked { reasons[place] = "version \(version.number) cannot be had: \(error)" }
            return
        }
        for (place, result) in zip(asked, results) {
            switch result {
            case .failure(let fault): reasons[place] = fault.sentence
            case .success(let replay):
                let mayDiffer = policies.isTolerant(of: groups[place].engine)
                for (index, sample) in replay.samples.enumerated() where index < groups[place].samples.count {
                    groups[place].samples[index].behaviourLogProbabilities = sample.logProbabilities
                    // Tokens that were chosen, not sampled: whatever was reported about them is void, when the step is made
                    // again too.
                    if !mayDiffer,
                        sample.replayedTokens != groups[place].samples[index].tokens.map(Int32.init(bitPattern:))
                    {
                        groups[place].samples[index].reportedLogProbabilities = []
                    }
                }
                if !groups[place].isComputed { reasons[place] = "its replay has other lengths than its samples" }
            }
        }
    }

    /// Forgets what was computed for steps that a STABLE checkpoint covers.
    func forget(through step: UInt64) { record.forget(through: step) }
}

extension Wire.TrainingGroup {
    /// Whether every token has the log-probability under which it was sampled.
    fileprivate var isComputed: Bool {
        samples.allSatisfy { $0.behaviourLogProbabilities.count == $0.tokens.count }
    }

    /// Whether the worker reported the same log-probabilities, to the bit, for tokens that it sampled.
    fileprivate var isReportedTruly: Bool {
        samples.allSatisfy { sample in
            sample.behaviourLogProbabilities.map(\.bitPattern) == sample.reportedLogProbabilities.map(\.bitPattern)
        }
    }
}

extension Wire.UnavailableGroup {
    /// Names a group and the reason in one line of printable text.
    init(_ group: Wire.TrainingGroup, _ reason: String) {
        self.init()
        groupHash = group.groupHash
        let line = reason.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) }
        self.reason = String(line.prefix(240))
    }
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
