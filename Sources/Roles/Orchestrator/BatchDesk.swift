import Identity
import Messages
import Orchestration
import Verification

/// Batches as the trainer gets them, in parts that fit into one message each.
///
/// A part is decoded from the database when it is asked for, so that a batch of any size costs the memory of one part.
final class BatchDesk {
    /// A batch as a whole: what is known of it without decoding its groups.
    struct Outline: Sendable {
        let step: UInt64
        /// Places in the batch's list of groups, part by part.
        let parts: [Range<Int>]
        /// Tells a redelivery from another batch.
        let prefix: UInt64
        /// Completion tokens.
        let tokens: UInt64
        /// The mean over all samples, before any filter.
        let meanReward: Double
    }

    /// Payload bytes after which a part is full; what the trainer gets of a group is smaller than its payload.
    static let partBytes = 8 << 20
    /// Groups of a part; the wire allows twice as many.
    static let partGroups = 512

    private let database: RunDatabase
    private let policies: AuditPolicies
    private let partBytes: Int
    private let partGroups: Int
    private var latest: Outline?

    init(
        database: RunDatabase, policies: AuditPolicies = AuditPolicies(), partBytes: Int = BatchDesk.partBytes,
        partGroups: Int = BatchDesk.partGroups
    ) {
        self.database = database
        self.policies = policies
        self.partBytes = partBytes
        self.partGroups = partGroups
    }

    /// Cuts a batch into parts; the same batch is always cut the same way.
    func outline(_ step: UInt64, _ hashes: [Hash256], tokens: UInt64) throws -> Outline {
        var digest = SHA256()
        for hash in hashes { digest.update(hash) }
        let prefix = digest.finalize().withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        if let latest, latest.step == step, latest.prefix == prefix { return latest }
        var parts: [Range<Int>] = []
        var start = 0
        var bytes = 0
        var (sum, samples) = (0.0, 0)
        for (index, hash) in hashes.enumerated() {
            guard let size = try database.payloadBytes(hash), let rewards = try rewards(hash) else {
                throw missing(hash, step)
            }
            if index > start, bytes + size > partBytes || index - start >= partGroups {
                parts.append(start..<index)
                (start, bytes) = (index, 0)
            }
            bytes += size
            sum += rewards.reduce(0) { $0 + Double($1) }
            samples += rewards.count
        }
        parts.append(start..<hashes.count)
        let outline = Outline(
            step: step, parts: parts, prefix: prefix, tokens: tokens,
            meanReward: samples > 0 ? sum / Double(samples) : 0)
        latest = outline
        return outline
    }

    /// One part of a batch: the replay's log-probabilities beside the worker's; nil where there is no such part.
    ///
    /// Of a group that was compared by tolerances, the verifier's stand where the worker's would, and none beside them.
    ///
    /// - Parameters:
    ///   - step: the step that a version, given by its number, was made at.
    ///   - isPromised: whether nobody has vouched for a group yet.
    ///   - isContested: whether one verifier found a group good and another one wrong.
    func part(
        _ part: Int, of outline: Outline, _ hashes: [Hash256], step: (_ version: UInt64) -> UInt64?,
        isPromised: (Hash256) -> Bool = { _ in false }, isContested: (Hash256) -> Bool = { _ in false }
    ) throws -> Wire.Batch? {
        guard outline.parts.indices.contains(part), outline.parts.last?.upperBound == hashes.count else { return nil }
        var batch = Wire.Batch()
        batch.step = outline.step
        batch.batchHashPrefix = outline.prefix
        batch.totalCompletionTokens = outline.tokens
        batch.part = UInt32(part)
        batch.parts = UInt32(outline.parts.count)
        batch.groups = try hashes[outline.parts[part]].map { hash in
            var group = try group(hash, outline.step, isContested: isContested(hash), step)
            group.provisional = isPromised(hash)
            return group
        }
        return batch
    }

    private func group(
        _ hash: Hash256, _ step: UInt64, isContested: Bool, _ stepOf: (_ version: UInt64) -> UInt64?
    ) throws -> Wire.TrainingGroup {
        guard let stored = try database.group(hash), let rewards = try rewards(hash) else {
            throw missing(hash, step)
        }
        let payload = try Wire.GroupPayload(strict: stored.payload)
        let report = try database.replay(hash).map { try Wire.AuditReport(serializedBytes: $0.report) }
        let isTolerated = policies.isTolerant(of: payload.engine)
        var group = Wire.TrainingGroup()
        group.groupID = payload.groupID
        group.groupHash = .init(hash.bytes)
        group.workerKey = payload.workerKey
        group.engine = payload.engine
        group.version.number = payload.policyVersion
        group.version.weightsHash = payload.weightsHash
        group.version.step = stepOf(payload.policyVersion) ?? 0
        group.promptTokens = payload.promptTokens
        group.temperature = payload.sampling.temperature
        for (index, sample) in payload.samples.enumerated() {
            var item = Wire.TrainingSample()
            item.tokens = sample.tokens
            let replayed = report?.samples[index].logProbabilities ?? []
            if isTolerated {
                // The worker's numbers are close, not equal, so its agreement leaves a verifier free to write what it likes
                // for many a token. The trainer computes them itself and compares: honest replays are equal to the bit.
                item.reportedLogProbabilities = replayed
            } else {
                // Without a replay the trainer computes them itself; a worker's are never used in their place. So it does
                // where verifiers contradict each other, and decides between them.
                item.behaviourLogProbabilities = isContested ? [] : replayed
                item.reportedLogProbabilities = sample.logProbabilities
            }
            item.reward = rewards[index]
            group.samples.append(item)
        }
        return group
    }

    /// The rewards of a group, audited or not.
    private func rewards(_ hash: Hash256) throws -> [Float]? {
        try database.replay(hash)?.rewards ?? database.score(hash)
    }

    private func missing(_ hash: Hash256, _ step: UInt64) -> RoleFailure {
        RoleFailure(.fault, "Group \(hash.hex.prefix(12)) of batch \(step) is not in the database.")
    }
}
