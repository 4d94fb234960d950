/// A rendered chat that knows which parts of it the assistant said.
public struct MarkedText: Sendable, Equatable {
    /// The rendered text.
    public let text: String
    /// What stands within `{% generation %}`, as ranges of UTF-8 bytes of the text, ascending and apart; empty where the
    /// template does not mark it.
    public let generated: [Range<Int>]
}
