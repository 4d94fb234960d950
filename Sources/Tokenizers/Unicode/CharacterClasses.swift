/// What the `tokenizers` package says of a scalar.
///
/// Letters, numbers and white space are those of the split patterns (`\p{L}`, `\p{N}`, `\s`), which is not the Unicode
/// version that the digits pre-tokenizer or added tokens go by; hence a flag for each.
struct CharacterClass: OptionSet, Sendable {
    let rawValue: UInt8

    /// `\p{L}` of a split pattern.
    static let letter = CharacterClass(rawValue: 1)
    /// `\p{N}` of a split pattern.
    static let number = CharacterClass(rawValue: 2)
    /// `\s`, the same everywhere.
    static let space = CharacterClass(rawValue: 4)
    /// What the digits pre-tokenizer isolates.
    static let numeric = CharacterClass(rawValue: 8)
    /// `\w`, which a single-word added token may not touch.
    static let word = CharacterClass(rawValue: 16)
    /// A scalar that NFC keeps and that begins anew: nothing before it composes with it.
    static let stable = CharacterClass(rawValue: 32)

    /// The classes by which split patterns tell scalars apart.
    static let pattern: CharacterClass = [.letter, .number, .space]
}

/// The class of every Unicode scalar, in one flat table of 1.1 MB that is built once.
enum CharacterClasses {
    /// One entry for each scalar value up to U+10FFFF; only lookups by decoded scalars may index it.
    static let table: [UInt8] = {
        var table = [UInt8](repeating: 0, count: 0x110000)
        GeneratedNumbers.forEachRange(in: CharacterClassTable.ranges, upTo: 0x110000) { range, value in
            for scalar in range { table[scalar] = UInt8(truncatingIfNeeded: value) }
        }
        return table
    }()
}

/// The numbers in a generated text: hexadecimal, separated by white space.
enum GeneratedNumbers {
    /// Calls `body` with each number and whether a `!` follows it.
    static func forEach(in text: StaticString, _ body: (Int, Bool) -> Void) {
        text.withUTF8Buffer { bytes in
            var value = 0
            var isMarked = false
            var isOpen = false
            for byte in bytes {
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | Int(byte - UInt8(ascii: "0"))
                case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | Int(byte - UInt8(ascii: "a") + 10)
                case UInt8(ascii: "!"): isMarked = true
                default:
                    if isOpen { body(value, isMarked) }
                    (value, isMarked, isOpen) = (0, false, false)
                    continue
                }
                isOpen = true
            }
            if isOpen { body(value, isMarked) }
        }
    }

    /// Calls `body` with each range and its value, of pairs of a distance and the value from there on.
    static func forEachRange(in text: StaticString, upTo end: Int, _ body: (Range<Int>, Int) -> Void) {
        var start = 0
        var value = 0
        var distance: Int?
        forEach(in: text) { number, _ in
            guard let length = distance else {
                distance = number
                return
            }
            if value != 0 { body(start..<start + length, value) }
            start += length
            value = number
            distance = nil
        }
        if value != 0 { body(start..<end, value) }
    }
}
