/// Decodes ids as they come, and never gives half a character.
///
/// What it gives, joined, is what ``Tokenizer/text(_:skippingSpecial:)`` makes of all the ids at once, wherever they are
/// cut.
public struct StreamDecoder: Sendable {
    private let tokenizer: any Tokenizer
    private let options: DecodingOptions
    private var state = DecodingState()
    /// The bytes of a character that is not complete yet.
    private var rest: [UInt8] = []

    /// A decoder before the first id.
    public init(_ tokenizer: any Tokenizer, skippingSpecial: Bool = false) {
        self.tokenizer = tokenizer
        options = DecodingOptions(skipsSpecial: skippingSpecial, repairs: true)
    }

    /// The text that these ids complete; often empty, never half a character.
    public mutating func append(_ tokens: [Int32]) -> String {
        rest += tokenizer.decode(tokens, options, continuing: &state)
        let end = rest.count - Self.incompleteCount(rest)
        defer { rest.removeFirst(end) }
        return String(decoding: rest[..<end], as: UTF8.self)
    }

    /// The text that is still held back, with U+FFFD for a character that never became complete.
    public mutating func finish() -> String {
        rest += tokenizer.finishDecoding(options, &state)
        defer { rest = [] }
        return String(decoding: rest, as: UTF8.self)
    }

    /// How many bytes at the end begin a character that more bytes could complete.
    private static func incompleteCount(_ bytes: [UInt8]) -> Int {
        for count in 1...3 where count <= bytes.count {
            let tail = bytes.suffix(count)
            guard let first = tail.first, first & 0xC0 != 0x80 else { continue }
            return isPrefix(Array(tail)) ? count : 0
        }
        return 0
    }

    /// Whether these bytes are the beginning, but not the whole, of a well-formed character (Unicode, table 3-7).
    private static func isPrefix(_ bytes: [UInt8]) -> Bool {
        let length: Int
        switch bytes[0] {
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF: length = 3
        case 0xF0...0xF4: length = 4
        default: return false
        }
        guard bytes.count < length else { return false }
        guard bytes.count > 1 else { return true }
        switch (bytes[0], bytes[1]) {
        case (0xE0, ..<0xA0), (0xED, 0xA0...), (0xF0, ..<0x90), (0xF4, 0x90...): return false
        default: return true
        }
    }
}
