/// What decoding carries from one id to the next, so that text may be decoded in parts.
public struct DecodingState: Sendable, Equatable {
    /// Whether no token came yet.
    var isFirst = true
    /// How many signs were cut from the beginning; nil once something else came.
    var stripped: Int? = 0
    /// The bytes of a character, or of several, that single-byte tokens have spelled so far.
    var run: [UInt8] = []

    /// The state before the first id.
    public init() {}
}
