import Identity
import Sampling

/// One prompt to sample a group of completions for.
public struct GroupRequest: Sendable, Hashable {
    /// The group; the noise of its samples follows from it.
    public var groupID: Hash256
    /// The prompt, one token or more.
    public var promptTokens: [Int32]
    /// How to sample.
    public var parameters: SamplingParameters

    /// Names what to generate.
    public init(groupID: Hash256, promptTokens: [Int32], parameters: SamplingParameters) {
        self.groupID = groupID
        self.promptTokens = promptTokens
        self.parameters = parameters
    }
}
