/// Turns text into token ids and back.
///
/// A tokenizer adds no special tokens by itself, and model output is never re-tokenised: whoever generates carries ids.
public protocol Tokenizer: Sendable {
    /// Every id is from 0 up to, but not including, this number.
    var vocabularySize: Int { get }
    /// The id that begins a text, where the vocabulary has one.
    var beginOfSequence: Int32? { get }
    /// The id that ends a completion, where the vocabulary has one.
    var endOfSequence: Int32? { get }
    /// The id that fills unused places, where the vocabulary has one.
    var padding: Int32? { get }
    /// The ids that control a model and are not meant for people's eyes.
    var specialTokens: Set<Int32> { get }

    /// The ids of UTF-8 bytes; special tokens that are written in the text become their ids.
    ///
    /// This is what Hugging Face calls encoding with `add_special_tokens=False`, and the way for the text that a chat
    /// template rendered.
    func encode(bytes: [UInt8]) -> [Int32]
    /// The ids of UTF-8 bytes in which a special token is text like any other.
    ///
    /// The way for text of strangers that must not control a model. The unknown token, where a vocabulary has one and
    /// counts it as special, still stands for what has no other id.
    func encode(plain bytes: [UInt8]) -> [Int32]
    /// The ids of UTF-8 bytes with the special tokens around them that the tokenizer's files ask for.
    ///
    /// This is what Hugging Face calls encoding with `add_special_tokens=True`.
    func encodeWithSpecialTokens(bytes: [UInt8]) -> [Int32]

    /// The id of a token by its text, compared as bytes.
    func token(named name: String) -> Int32?
    /// The bytes that an id stands for when it is read alone; nil of an id that stands for nothing.
    func bytes(of token: Int32) -> [UInt8]?

    /// Decodes the next ids of a text; the results of all calls and of ``finishDecoding(_:_:)``, joined, are the text.
    func decode(_ tokens: [Int32], _ options: DecodingOptions, continuing state: inout DecodingState) -> [UInt8]
    /// What decoding still holds back when no more ids come.
    func finishDecoding(_ options: DecodingOptions, _ state: inout DecodingState) -> [UInt8]
}

/// How ids become text.
public struct DecodingOptions: Sendable, Equatable {
    /// Whether special tokens are left out.
    public var skipsSpecial: Bool
    /// Whether characters that byte tokens spell wrong are replaced by U+FFFD as the `tokenizers` package does, one for
    /// each byte of the run; else the bytes stay as they are.
    public var repairs: Bool

    /// The way back to the bytes that were encoded, unless said otherwise.
    public init(skipsSpecial: Bool = false, repairs: Bool = false) {
        self.skipsSpecial = skipsSpecial
        self.repairs = repairs
    }
}

extension Tokenizer {
    /// The ids of a text, by its UTF-8 bytes.
    public func encode(_ text: String) -> [Int32] { encode(bytes: Array(text.utf8)) }

    /// The bytes of ids: those that were encoded, even where they are not UTF-8.
    public func decode(_ tokens: [Int32], skippingSpecial: Bool = false) -> [UInt8] {
        decode(tokens, DecodingOptions(skipsSpecial: skippingSpecial))
    }

    /// The text of ids, with U+FFFD where bytes are not UTF-8, as the `tokenizers` package decodes it.
    public func text(_ tokens: [Int32], skippingSpecial: Bool = false) -> String {
        String(decoding: decode(tokens, DecodingOptions(skipsSpecial: skippingSpecial, repairs: true)), as: UTF8.self)
    }

    private func decode(_ tokens: [Int32], _ options: DecodingOptions) -> [UInt8] {
        var state = DecodingState()
        return decode(tokens, options, continuing: &state) + finishDecoding(options, &state)
    }
}
