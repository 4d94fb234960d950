/// What a relay asks of those who fetch from it: a word that its operator gave them.
///
/// It keeps strangers from using the relay's line. It says nothing about the weights, which are checked by signature and hash.
public struct JoinToken: Sendable, Hashable, CustomStringConvertible {
    /// Short enough for a header, too long to guess.
    private static let lengths = 16...128

    /// The word itself.
    public let text: String
    /// Not the word, so that no log shows it.
    public var description: String { "a token" }

    /// Takes 16 to 128 letters, digits, dots, dashes, underscores or tildes.
    ///
    /// - Throws: ``ShardcastError`` of kind `invalidConfiguration` for anything else; the sentence does not show the text.
    public init(_ text: some StringProtocol) throws(ShardcastError) {
        guard Self.lengths.contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else {
            throw ShardcastError(
                .invalidConfiguration,
                "This is no relay token: one has \(Self.lengths.lowerBound) to \(Self.lengths.upperBound) letters, digits, "
                    + "dots, dashes, underscores or tildes; `openssl rand -hex 16` makes one.")
        }
        self.text = String(text)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: false
        }
    }
}
