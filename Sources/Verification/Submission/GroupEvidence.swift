import Identity
import Sampling

/// What a worker claims about one group: the signed payload's fields, nothing of it believed.
///
/// Values keep the shape in which they arrived. Token ids come from the wire's unsigned numbers by bit pattern, so an
/// absurd id is negative here and fails the vocabulary check.
public struct GroupEvidence: Sendable, Hashable {
    /// Version of the wire schema.
    public var schemaVersion: UInt32
    /// Version of the canonical arithmetic.
    public var arithmeticVersion: UInt32
    /// The run.
    public var runID: Hash256
    /// The lease that the group answers.
    public var leaseID: UInt64
    /// The group.
    public var groupID: Hash256
    /// How often the group had been leased before.
    public var attempt: UInt32
    /// Who generated it.
    public var workerKey: PublicKey
    /// The policy version's number.
    public var policyVersion: UInt64
    /// The hash of the weights that generated.
    public var weightsHash: Hash256
    /// The environment's id.
    public var environmentID: String
    /// The hash of the environment and its options.
    public var environmentHash: Hash256
    /// The engine that generated, as the worker declares it; empty for the canonical arithmetic.
    public var engine: String
    /// The prompt.
    public var promptTokens: [Int32]
    /// The sampling parameters.
    public var parameters: SamplingParameters
    /// What was sampled, with its evidence.
    public var samples: [SampleEvidence]

    /// Takes the fields as they arrived.
    public init(
        schemaVersion: UInt32, arithmeticVersion: UInt32, runID: Hash256, leaseID: UInt64, groupID: Hash256,
        attempt: UInt32, workerKey: PublicKey, policyVersion: UInt64, weightsHash: Hash256, environmentID: String,
        environmentHash: Hash256, engine: String = "", promptTokens: [Int32], parameters: SamplingParameters,
        samples: [SampleEvidence]
    ) {
        self.schemaVersion = schemaVersion
        self.arithmeticVersion = arithmeticVersion
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
        self.samples = samples
    }
}

/// One sample as a worker submitted it.
public struct SampleEvidence: Sendable, Hashable {
    /// Sampled tokens, the stop token included.
    public var tokens: [Int32]
    /// The claimed reason for its end; nil for a value that the schema does not know.
    public var finishReason: FinishReason?
    /// The claimed log-probability of each token.
    public var logProbabilities: [Float]
    /// For each chunk of rows, 32 bytes if it is well formed.
    public var commitments: [[UInt8]]
    /// For each chunk of rows, a TOPLOC proof if it is well formed.
    public var proofs: [[UInt8]]

    /// Takes the fields as they arrived.
    public init(
        tokens: [Int32], finishReason: FinishReason?, logProbabilities: [Float], commitments: [[UInt8]],
        proofs: [[UInt8]]
    ) {
        self.tokens = tokens
        self.finishReason = finishReason
        self.logProbabilities = logProbabilities
        self.commitments = commitments
        self.proofs = proofs
    }
}
