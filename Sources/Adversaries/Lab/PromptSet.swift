/// The prompts of a report, used in turn.
public struct PromptSet: Sendable {
    /// Token ids; none is empty.
    public let prompts: [[Int32]]

    /// Takes prompts of one's own.
    ///
    /// - Returns: nil where there is none, or an empty one.
    public init?(_ prompts: [[Int32]]) {
        guard !prompts.isEmpty, !prompts.contains([]) else { return nil }
        self.prompts = prompts
    }

    /// Random ids, for a model without a tokenizer: prompts of 1 to 96 tokens.
    public init(vocabularySize: Int, seed: UInt64) {
        let lengths = [5, 17, 32, 1, 48, 9, 31, 96]
        prompts = (0..<64).map { number in
            var dice = Dice(seed, 1, UInt64(number))
            return (0..<lengths[number % lengths.count]).map { _ in
                Int32.random(in: 0..<Int32(vocabularySize), using: &dice)
            }
        }
    }

    /// The prompt with this number; they come again and again.
    subscript(number: Int) -> [Int32] { prompts[number % prompts.count] }
}
