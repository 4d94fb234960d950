extension TOMLReader {
    /// The rest of a text in double quotes, after the first of them.
    mutating func basicString() throws(ConfigurationError) -> String {
        var content: [UInt8] = []
        while let byte = peek, byte != 0x0A, byte != 0x0D {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: content, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &content)
            default: content.append(try plain(byte))
            }
        }
        throw error("a text has no closing quote on its line")
    }

    /// The rest of a text in single quotes, after the first of them.
    mutating func literalString() throws(ConfigurationError) -> String {
        var content: [UInt8] = []
        while let byte = peek, byte != 0x0A, byte != 0x0D {
            position += 1
            if byte == UInt8(ascii: "'") { return String(decoding: content, as: UTF8.self) }
            content.append(try plain(byte))
        }
        throw error("a text has no closing quote on its line")
    }

    /// The rest of a text in three quotes, after the first three.
    mutating func multilineString(quote: Unicode.Scalar) throws(ConfigurationError) -> String {
        let start = line
        let mark = UInt8(ascii: quote)
        var content: [UInt8] = []
        _ = takeNewline()
        while let byte = peek {
            if takeNewline() {
                content.append(0x0A)
                continue
            }
            position += 1
            if byte == mark {
                var run = 1
                while run < 5, peek == mark {
                    position += 1
                    run += 1
                }
                // Up to two quotes before the closing three belong to the text.
                if run >= 3 {
                    content.append(contentsOf: repeatElement(mark, count: run - 3))
                    return String(decoding: content, as: UTF8.self)
                }
                content.append(contentsOf: repeatElement(mark, count: run))
            } else if byte == UInt8(ascii: "\\"), quote == "\"" {
                if !skipEscapedNewline() { try escape(into: &content) }
            } else {
                content.append(try plain(byte))
            }
        }
        line = start
        throw error("a text in three quotes is never closed")
    }

    /// A backslash at the end of a line: skips the newline and all white space after it.
    private mutating func skipEscapedNewline() -> Bool {
        let start = position
        skipSpace()
        guard takeNewline() else {
            position = start
            return false
        }
        repeat { skipSpace() } while takeNewline()
        return true
    }

    /// A byte that may stand in a text as it is.
    private func plain(_ byte: UInt8) throws(ConfigurationError) -> UInt8 {
        guard byte >= 0x20 && byte != 0x7F || byte == 0x09 else {
            throw error("a control character in a text must be escaped")
        }
        return byte
    }

    private mutating func escape(into content: inout [UInt8]) throws(ConfigurationError) {
        guard let byte = peek else { throw error("a text ends within an escape") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): content.append(byte)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "u"): try unicode(digits: 4, into: &content)
        case UInt8(ascii: "U"): try unicode(digits: 8, into: &content)
        default: throw error("a backslash must be followed by one of \" \\ b t n f r u U")
        }
    }

    private mutating func unicode(digits: Int, into content: inout [UInt8]) throws(ConfigurationError) {
        var code: UInt32 = 0
        for _ in 0..<digits {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("an escape needs \(digits) hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        // NUL would end a path or a name early wherever C reads it.
        guard code != 0, let scalar = Unicode.Scalar(code) else { throw error("an escape names no character") }
        content.append(contentsOf: String(Character(scalar)).utf8)
    }
}
