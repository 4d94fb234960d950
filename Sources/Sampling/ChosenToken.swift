/// A token with its log-probability over the whole vocabulary, before any filter.
public struct ChosenToken: Hashable, Sendable, BitwiseCopyable {
    /// The id.
    public let token: Int32
    /// Natural logarithm of its probability under the run's temperature (1 when greedy); of the claimed token where a
    /// claim is replayed.
    public let logProbability: Float

    /// Pairs a token with its log-probability.
    public init(token: Int32, logProbability: Float) {
        self.token = token
        self.logProbability = logProbability
    }
}
