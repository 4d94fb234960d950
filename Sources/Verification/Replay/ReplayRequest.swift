import Identity
import Sampling

/// A blind audit: what a verifier needs to recompute a group, and nothing that the worker computed but the tokens.
public struct ReplayRequest: Sendable, Hashable {
    /// The run.
    public var runID: Hash256
    /// The group.
    public var groupID: Hash256
    /// The key that the worker's commitments bind.
    public var workerKey: PublicKey
    /// The prompt.
    public var promptTokens: [Int32]
    /// The sampling parameters.
    public var parameters: SamplingParameters
    /// Each sample's tokens, the stop token included.
    public var completions: [[Int32]]

    /// Names what is replayed.
    public init(
        runID: Hash256, groupID: Hash256, workerKey: PublicKey, promptTokens: [Int32], parameters: SamplingParameters,
        completions: [[Int32]]
    ) {
        self.runID = runID
        self.groupID = groupID
        self.workerKey = workerKey
        self.promptTokens = promptTokens
        self.parameters = parameters
        self.completions = completions
    }

    /// The audit of a submission: the lease's terms with the submitted tokens.
    public init(_ evidence: GroupEvidence, terms: LeaseTerms) {
        self.init(
            runID: terms.runID, groupID: terms.groupID, workerKey: terms.workerKey, promptTokens: terms.promptTokens,
            parameters: terms.parameters, completions: evidence.samples.map(\.tokens))
    }
}
