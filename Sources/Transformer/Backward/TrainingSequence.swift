/// A token sequence to learn from: a prompt, then tokens whose log-probabilities the loss reads.
public struct TrainingSequence: Sendable, Equatable {
    /// All tokens, from position 0.
    public var tokens: [Int32]
    /// The first token that is a target, from 1 to `tokens.count`; all tokens from here on are.
    public var firstTarget: Int

    /// A sequence from its tokens and its first target.
    public init(tokens: [Int32], firstTarget: Int) {
        self.tokens = tokens
        self.firstTarget = firstTarget
    }

    /// A sequence of which everything after the prompt is a target.
    public init(prompt: [Int32], completion: [Int32]) {
        self.init(tokens: prompt + completion, firstTarget: prompt.count)
    }

    /// How many tokens are targets.
    public var targetCount: Int { tokens.count - firstTarget }

    /// The tokens that must be computed: all but the last, which predicts nothing.
    var inputCount: Int { tokens.count - 1 }
}
