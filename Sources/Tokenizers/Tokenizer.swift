/// Turns text into token ids and back.
///
/// A tokenizer adds no special tokens by itself, and model output is never re-tokenised: whoever generates carries ids.
public protocol Tokenizer: Sendable {
    /// Every id is from 0 up to, but not including, this number.
    var vocabularySize: Int { get }
    /// The id that ends a completion, where the vocabulary has one.
    var endOfSequence: Int32? { get }
    /// The id that fills unused places, where the vocabulary has one.
    var padding: Int32? { get }
    /// The ids of a text.
    func encode(_ text: String) -> [Int32]
    /// The ids of UTF-8 bytes.
    func encode(bytes: [UInt8]) -> [Int32]
    /// The UTF-8 bytes of ids; ids without bytes of their own give U+FFFD.
    func decode(_ tokens: [Int32]) -> [UInt8]
}

extension Tokenizer {
    /// The ids of a text, by its UTF-8 bytes.
    public func encode(_ text: String) -> [Int32] { encode(bytes: Array(text.utf8)) }

    /// The text of ids, with U+FFFD where bytes are not UTF-8.
    public func text(_ tokens: [Int32]) -> String { String(decoding: decode(tokens), as: UTF8.self) }
}
