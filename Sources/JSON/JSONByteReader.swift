/// A strict reader of JSON bytes that a caller pulls values from.
///
/// Foundation's decoders keep one of two equal keys silently and turn every number into a double; neither may happen to
/// bytes from strangers. This reader never allocates more than the text it is given, never recurses on its own account,
/// and takes whole numbers as whole numbers.
public struct JSONByteReader {
    private let bytes: UnsafeRawBufferPointer
    /// The offset of the next byte.
    public private(set) var position = 0

    /// A reader from the first byte; the memory must outlive it.
    public init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The next byte that is not white space, without taking it; nil at the end.
    public mutating func peek() -> UInt8? {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return bytes[position]
            }
        }
        return nil
    }

    /// Takes `byte` if it is the next one after white space.
    public mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    /// Takes `byte`, or fails.
    public mutating func expect(_ byte: UInt8) throws(JSONError) {
        guard take(byte) else { throw fault("expected '\(Character(Unicode.Scalar(byte)))'") }
    }

    /// Fails unless only white space is left.
    public mutating func expectEnd() throws(JSONError) {
        guard peek() == nil else { throw fault("text after the value") }
    }

    /// Takes the literal `text` (`true`, `false` or `null`).
    public mutating func expectLiteral(_ text: StaticString) throws(JSONError) {
        _ = peek()
        let start = position
        for index in 0..<text.utf8CodeUnitCount {
            guard position < bytes.count, bytes[position] == text.utf8Start[index] else {
                position = start
                throw fault("unknown literal")
            }
            position += 1
        }
    }

    /// Takes a number that is a whole number from 0 up: no sign, fraction, exponent or leading zero.
    public mutating func naturalNumber() throws(JSONError) -> Int {
        _ = peek()
        let start = position
        var value = 0
        while position < bytes.count, bytes[position] &- 0x30 < 10, position - start < 18 {
            value = value * 10 + Int(bytes[position] & 0xF)
            position += 1
        }
        let isWhole = position == bytes.count || !Self.continuesNumber(bytes[position])
        if isWhole, position > start, bytes[start] != 0x30 || position == start + 1 { return value }
        // Longer numbers, and what is wrong with the others.
        position = start
        let text = try number()
        guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let value = Int(text) else {
            throw fault("\(text.prefix(40)) is not a whole number from 0 to 2^63 - 1")
        }
        return value
    }

    private static func continuesNumber(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || byte == 0x2E || byte | 0x20 == 0x65
    }

    /// Takes a number by the JSON grammar and returns its text.
    public mutating func number() throws(JSONError) -> String {
        _ = peek()
        let start = position
        if position < bytes.count, bytes[position] == 0x2D { position += 1 }
        let firstDigit = position
        let digits = takeDigits()
        if digits == 0 { throw fault("expected a number") }
        if digits > 1, bytes[firstDigit] == 0x30 { throw fault("a number with a leading zero") }
        if position < bytes.count, bytes[position] == 0x2E {
            position += 1
            if takeDigits() == 0 { throw fault("a number without digits after the point") }
        }
        if position < bytes.count, bytes[position] | 0x20 == 0x65 {
            position += 1
            if position < bytes.count, bytes[position] == 0x2B || bytes[position] == 0x2D { position += 1 }
            if takeDigits() == 0 { throw fault("a number without digits in its exponent") }
        }
        if position - start > 400 { throw fault("a number of more than 400 characters") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func takeDigits() -> Int {
        let start = position
        while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39 { position += 1 }
        return position - start
    }

    /// Takes a string of at most `limit` bytes and resolves its escapes.
    public mutating func string(limit: Int) throws(JSONError) -> String {
        let text = try stringBytes(limit: limit)
        guard let string = String(validating: text, as: UTF8.self) else { throw fault("a string that is not UTF-8") }
        return string
    }

    /// Takes a string as its bytes, which are not checked to be UTF-8, and resolves its escapes.
    public mutating func stringBytes(limit: Int) throws(JSONError) -> [UInt8] {
        try expect(0x22)
        var text: [UInt8] = []
        while true {
            // Plain runs are copied whole; a large file is mostly such runs.
            let start = position
            while position < bytes.count, bytes[position] >= 0x20, bytes[position] != 0x22, bytes[position] != 0x5C {
                position += 1
            }
            guard text.count + (position - start) <= limit else { throw fault("a string of more than \(limit) bytes") }
            text.append(contentsOf: bytes[start..<position])
            guard position < bytes.count else { throw fault("a string without an end") }
            position += 1
            switch bytes[position - 1] {
            case 0x22: return text
            case 0x5C: try takeEscape(into: &text)
            default: throw fault("a control character in a string")
            }
        }
    }

    /// Takes a string without escapes where it lies: the range of its bytes, which are not checked to be UTF-8.
    ///
    /// - Returns: nil, with nothing taken, for a string that has an escape or is no well-formed string; ``stringBytes(limit:)``
    ///   reads the one and says what is wrong with the other.
    public mutating func plainString(limit: Int) -> Range<Int>? {
        guard peek() == 0x22 else { return nil }
        var end = position + 1
        while end < bytes.count, bytes[end] >= 0x20, bytes[end] != 0x22, bytes[end] != 0x5C { end += 1 }
        guard end < bytes.count, bytes[end] == 0x22, end - position - 1 <= limit else { return nil }
        defer { position = end + 1 }
        return position + 1..<end
    }

    private mutating func takeEscape(into text: inout [UInt8]) throws(JSONError) {
        guard position < bytes.count else { throw fault("a string without an end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: text.append(byte)
        case 0x62: text.append(0x08)
        case 0x66: text.append(0x0C)
        case 0x6E: text.append(0x0A)
        case 0x72: text.append(0x0D)
        case 0x74: text.append(0x09)
        case 0x75:
            var value = try takeFourHexDigits()
            if value & 0xFC00 == 0xD800 {
                guard position + 1 < bytes.count, bytes[position] == 0x5C, bytes[position + 1] == 0x75 else {
                    throw fault("half of a surrogate pair")
                }
                position += 2
                let low = try takeFourHexDigits()
                guard low & 0xFC00 == 0xDC00 else { throw fault("half of a surrogate pair") }
                value = 0x10000 + ((value & 0x3FF) << 10 | (low & 0x3FF))
            }
            guard let scalar = Unicode.Scalar(value) else { throw fault("half of a surrogate pair") }
            text.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
        default: throw fault("an unknown escape")
        }
    }

    private mutating func takeFourHexDigits() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw fault("an escape without four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    /// An error at the current position.
    public func fault(_ message: String, isDuplicate: Bool = false) -> JSONError {
        JSONError(offset: position, message: message, isDuplicate: isDuplicate)
    }
}
