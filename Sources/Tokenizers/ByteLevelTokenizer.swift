/// The built-in tokenizer: one byte is one id.
///
/// Id 0 is padding and id 10, the newline, ends a completion, in every vocabulary size. With 128 ids it covers ASCII; with
/// 256 or more it covers every byte, and ids from 256 up (which models in foreign shapes have) stand for no text.
public struct ByteLevelTokenizer: Tokenizer, Equatable {
    /// The number of ids; at least 128.
    public let vocabularySize: Int
    /// None: a text begins with its first byte.
    public var beginOfSequence: Int32? { nil }
    /// None: padding and the newline are text as well.
    public var specialTokens: Set<Int32> { [] }
    /// The newline.
    public var endOfSequence: Int32? { Self.newline }
    /// The zero byte.
    public var padding: Int32? { 0 }

    /// The id of the newline, which ends completions.
    public static let newline: Int32 = 10
    /// The id that stands for a byte outside the vocabulary: ASCII SUBSTITUTE.
    public static let substitute: Int32 = 0x1A

    /// Creates a tokenizer.
    ///
    /// - Parameter vocabularySize: the number of ids, normally the model's; nil-returning below 128, where ASCII would
    ///   not fit.
    public init?(vocabularySize: Int) {
        guard vocabularySize >= 128, vocabularySize <= Int(Int32.max) else { return nil }
        self.vocabularySize = vocabularySize
    }

    private init(known vocabularySize: Int) {
        self.vocabularySize = vocabularySize
    }

    /// The vocabulary of the demo: the 128 ASCII codes.
    public static let ascii = ByteLevelTokenizer(known: 128)
    /// The vocabulary of all 256 bytes.
    public static let bytes = ByteLevelTokenizer(known: 256)

    /// The ids of bytes; a byte outside the vocabulary becomes ``substitute``.
    public func encode(bytes: [UInt8]) -> [Int32] {
        bytes.map { Int($0) < vocabularySize ? Int32($0) : Self.substitute }
    }

    /// The same: there are no special tokens that a text could hold.
    public func encode(plain bytes: [UInt8]) -> [Int32] { encode(bytes: bytes) }

    /// The same: nothing is put around a text.
    public func encodeWithSpecialTokens(bytes: [UInt8]) -> [Int32] { encode(bytes: bytes) }

    /// The id of a text of one byte.
    public func token(named name: String) -> Int32? {
        guard name.utf8.count == 1, let byte = name.utf8.first, Int(byte) < vocabularySize else { return nil }
        return Int32(byte)
    }

    /// The byte of an id; nil of an id that is no byte.
    public func bytes(of token: Int32) -> [UInt8]? {
        guard token < vocabularySize else { return nil }
        return UInt8(exactly: token).map { [$0] }
    }

    /// The bytes of ids; ids that are no byte become U+FFFD.
    public func decode(
        _ tokens: [Int32], _ options: DecodingOptions, continuing state: inout DecodingState
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(tokens.count)
        for token in tokens {
            if let byte = UInt8(exactly: token) {
                bytes.append(byte)
            } else {
                bytes.append(contentsOf: [0xEF, 0xBF, 0xBD])
            }
        }
        return bytes
    }

    /// Nothing is ever held back.
    public func finishDecoding(_ options: DecodingOptions, _ state: inout DecodingState) -> [UInt8] { [] }
}
