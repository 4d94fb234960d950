/// A token with its log-probability over the whole vocabulary, before any filter.
public struct ChosenToken: Hashable, Sendable, BitwiseCopyable {
    /// The id.
    public let token: Int32
    /// Natural logarithm of its probability under the run's temperature (1 when greedy); of the claimed token where a
    /// claim is replayed.
    public let logProbability: Float
    /// How far the claimed token lies below the chosen one.
    ///
    /// How far logits ÷ temperature must move, against one another, that the claim becomes the choice: a difference of scores
    /// (`z - log E`; logits when greedy), or where filters decide, of distances to their edge. 0 where they are the same
    /// token or nothing was claimed, and at most ``largestMargin``.
    public let margin: Float

    /// What a margin is cut to.
    public static let largestMargin: Float = 1024

    /// Pairs a token with its log-probability and the margin of a claim.
    public init(token: Int32, logProbability: Float, margin: Float = 0) {
        self.token = token
        self.logProbability = logProbability
        self.margin = margin
    }
}
