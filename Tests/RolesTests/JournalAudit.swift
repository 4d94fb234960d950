import Identity
import Orchestration

/// What must hold of a run's journal, whatever was killed while it was written.
///
/// Independent of the state machine on purpose: it looks at nothing but the facts.
struct JournalAudit {
    private(set) var violations: [String] = []
    private(set) var accepted: Set<Hash256> = []
    private(set) var batches: UInt64 = 0
    private var journaled: [Hash256: UInt64] = [:]
    private var batched: Set<Hash256> = []
    private var leases: [UInt64: (worker: PublicKey, version: UInt64)] = [:]
    private var versions: [UInt64: PolicyVersion] = [:]
    private var weights: [UInt64: Hash256] = [:]
    private var scored: Set<Hash256> = []

    init(_ facts: [Fact], groupsPerBatch: Int, maximumStaleness: UInt64) {
        for fact in facts {
            switch fact {
            case .leaseGranted(let lease, _, _, let worker, let version, _):
                require(leases[lease] == nil, "lease \(lease) was granted twice")
                leases[lease] = (worker, version)
            case .versionPublished(let version):
                require(versions[version.number] == nil, "version \(version.number) was published twice")
                require(
                    weights[version.step] ?? version.weightsHash == version.weightsHash,
                    "step \(version.step) has two sets of weights")
                versions[version.number] = version
                weights[version.step] = version.weightsHash
            case .groupReceived(let group, let lease, _, _, _, _):
                require(journaled[group] == nil, "a group was journaled twice")
                journaled[group] = lease
            case .groupAccepted(let group, _, _, _, _, _):
                require(journaled[group] != nil, "a group was accepted that nobody handed in")
                // One that was scored unaudited may be picked for an audit later.
                require(accepted.insert(group).inserted || scored.remove(group) != nil, "a group was accepted twice")
            case .groupScored(let group, _, _):
                require(journaled[group] != nil, "a group was scored that nobody handed in")
                require(accepted.insert(group).inserted, "a group was scored twice")
                scored.insert(group)
            case .groupDiscarded(let group, _):
                require(!batched.contains(group), "a group was discarded from a batch")
            case .groupRejected(_, _, _, let finding, _):
                require(false, "a group was rejected by \(finding.check)")
            case .batchCut(let step, let groups):
                batches += 1
                require(step == batches, "batch \(step) came in place of \(batches)")
                require(groups.count == groupsPerBatch, "batch \(step) has \(groups.count) groups")
                for group in groups {
                    require(accepted.contains(group), "batch \(step) has a group that was not accepted")
                    require(batched.insert(group).inserted, "batch \(step) has a group of an earlier one")
                    let version = journaled[group].flatMap { leases[$0] }.flatMap { versions[$0.version] }
                    require(
                        version.map { step - 1 - $0.step <= maximumStaleness } ?? false,
                        "batch \(step) has a stale group")
                }
            default: break
            }
        }
    }

    private mutating func require(_ holds: Bool, _ sentence: String) {
        if !holds { violations.append(sentence) }
    }
}
