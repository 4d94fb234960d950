/// The special tokens that a `post_processor` puts around a text.
struct PostProcessor: Sendable, Equatable {
    /// The ids before the text.
    var prefix: [Int32] = []
    /// The ids after the text.
    var suffix: [Int32] = []

    /// The ids of a text with the special ones around them.
    func process(_ tokens: [Int32]) -> [Int32] { prefix + tokens + suffix }
}
