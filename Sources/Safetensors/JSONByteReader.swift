/// A place in JSON text where it stops being JSON, or stops being the JSON that was asked for.
public struct JSONSyntaxError: Error, CustomStringConvertible, Sendable, Equatable {
    /// The offset of the offending byte.
    public let position: Int
    /// What was expected or found there.
    public let message: String
    /// Whether the fault is a name that stands twice in one object.
    public var isDuplicate = false

    /// One phrase with the place.
    public var description: String { "\(message) at byte \(position)" }
}

/// A strict reader of JSON bytes that a caller pulls values from.
///
/// Foundation's decoders keep one of two equal keys silently and turn every number into a double; neither may happen to
/// bytes from strangers. This reader never allocates more than the text it is given, never recurses on its own account,
/// and takes whole numbers as whole numbers.
struct JSONByteReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The next byte that is not white space, without taking it; nil at the end.
    mutating func peek() -> UInt8? {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return bytes[position]
            }
        }
        return nil
    }

    /// Takes `byte` if it is the next one after white space.
    mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    /// Takes `byte`, or fails.
    mutating func expect(_ byte: UInt8) throws(JSONSyntaxError) {
        guard take(byte) else { throw fault("expected '\(Character(Unicode.Scalar(byte)))'") }
    }

    /// Fails unless only white space is left.
    mutating func expectEnd() throws(JSONSyntaxError) {
        guard peek() == nil else { throw fault("text after the value") }
    }

    /// Takes the literal `text` (`true`, `false` or `null`).
    mutating func expectLiteral(_ text: StaticString) throws(JSONSyntaxError) {
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
    mutating func naturalNumber() throws(JSONSyntaxError) -> Int {
        let text = try number()
        guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let value = Int(text) else {
            throw fault("\(text.prefix(40)) is not a whole number from 0 to 2^63 - 1")
        }
        return value
    }

    /// Takes a number by the JSON grammar and returns its text.
    mutating func number() throws(JSONSyntaxError) -> String {
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
        if position - start > 64 { throw fault("a number of more than 64 characters") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func takeDigits() -> Int {
        let start = position
        while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39 { position += 1 }
        return position - start
    }

    /// Takes a string of at most `limit` bytes and resolves its escapes.
    mutating func string(limit: Int) throws(JSONSyntaxError) -> String {
        try expect(0x22)
        var text: [UInt8] = []
        while true {
            guard position < bytes.count else { throw fault("a string without an end") }
            guard text.count <= limit else { throw fault("a string of more than \(limit) bytes") }
            let byte = bytes[position]
            position += 1
            switch byte {
            case 0x22:
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw fault("a string that is not UTF-8")
                }
                return string
            case 0x5C: try takeEscape(into: &text)
            case 0..<0x20: throw fault("a control character in a string")
            default: text.append(byte)
            }
        }
    }

    private mutating func takeEscape(into text: inout [UInt8]) throws(JSONSyntaxError) {
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

    private mutating func takeFourHexDigits() throws(JSONSyntaxError) -> UInt32 {
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
    func fault(_ message: String, isDuplicate: Bool = false) -> JSONSyntaxError {
        JSONSyntaxError(position: position, message: message, isDuplicate: isDuplicate)
    }
}
