import Identity
import Sampling

/// What the orchestrator itself knows about the group that a worker submits: its journal's side of every comparison.
public struct LeaseTerms: Sendable, Hashable {
    /// The run.
    public var runID: Hash256
    /// The lease.
    public var leaseID: UInt64
    /// The group.
    public var groupID: Hash256
    /// How often the group had been leased before.
    public var attempt: UInt32
    /// The identity of the channel to which the lease was given.
    public var workerKey: PublicKey
    /// The leased policy version.
    public var policyVersion: UInt64
    /// That version's weights.
    public var weightsHash: Hash256
    /// The environment's id.
    public var environmentID: String
    /// The hash of the environment and its options.
    public var environmentHash: Hash256
    /// The engine that the worker declared when it joined; empty for the canonical arithmetic.
    public var engine: String
    /// The prompt.
    public var promptTokens: [Int32]
    /// The sampling parameters.
    public var parameters: SamplingParameters

    /// Takes the lease as it was journaled.
    public init(
        runID: Hash256, leaseID: UInt64, groupID: Hash256, attempt: UInt32, workerKey: PublicKey,
        policyVersion: UInt64, weightsHash: Hash256, environmentID: String, environmentHash: Hash256,
        engine: String = "", promptTokens: [Int32], parameters: SamplingParameters
    ) {
        self.runID = runID
        self.leaseID = leaseID
        self.groupID = groupID
        self.attempt = attempt
        self.workerKey = workerKey
        self.policyVersion = policyVersion
        self.weightsHash = weightsHash
        self.environmentID = environmentID
        self.environmentHash = environmentHash
        self.engine = engine
        self.promptTokens = promptTokens
        self.parameters = parameters
    }

    /// The terms of a group that passed every comparison with its lease, in its own words.
    public init(claimedBy evidence: GroupEvidence) {
        self.init(
            runID: evidence.runID, leaseID: evidence.leaseID, groupID: evidence.groupID, attempt: evidence.attempt,
            workerKey: evidence.workerKey, policyVersion: evidence.policyVersion, weightsHash: evidence.weightsHash,
            environmentID: evidence.environmentID, environmentHash: evidence.environmentHash, engine: evidence.engine,
            promptTokens: evidence.promptTokens, parameters: evidence.parameters)
    }
}
