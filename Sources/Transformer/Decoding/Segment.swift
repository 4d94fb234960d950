/// Tokens to append to one sequence in a forward pass: a prompt, a chunk of one, or a single new token.
public struct Segment: Sendable {
    /// The sequence that the tokens continue.
    public let sequence: SequenceHandle
    /// The tokens, in order.
    public let tokens: ArraySlice<Int32>
    /// How many of the last tokens' hidden rows are wanted.
    public let outputs: Int

    /// Describes a segment.
    ///
    /// - Parameters:
    ///   - sequence: the sequence that the tokens continue; at most once per forward pass.
    ///   - tokens: one token or more.
    ///   - outputs: the rows of this many last tokens are returned; 1 by default.
    public init(_ sequence: SequenceHandle, tokens: ArraySlice<Int32>, outputs: Int = 1) {
        self.sequence = sequence
        self.tokens = tokens
        self.outputs = outputs
    }

    /// Describes a segment over a whole array.
    public init(_ sequence: SequenceHandle, tokens: [Int32], outputs: Int = 1) {
        self.init(sequence, tokens: tokens[...], outputs: outputs)
    }
}
