/// A reader of TOML 1.0 over one array of bytes; dates and times are refused, because no setting is one.
///
/// Our own, for three reasons: run files and join addresses may come from strangers, and the C++ library that was
/// tried first aborts the process on some damaged inputs; messages need the line of every value; and nothing is
/// leaked. Nesting is bounded by ``maximumDepth``, so recursion is too.
struct TOMLReader {
    /// Lists and tables within each other, and parts of a dotted key.
    static let maximumDepth = 16

    let bytes: [UInt8]
    let source: String
    var position = 0
    var line = 1

    init(_ text: String, source: String) {
        bytes = Array(text.utf8)
        self.source = source
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// Reads the whole text.
    mutating func document() throws(ConfigurationError) -> ConfigurationNode {
        let root = TOMLTableBuilder(origin: ConfigurationOrigin(source: source))
        var current = root
        while true {
            skipBlankLines()
            guard let first = peek else { return root.node }
            if first == UInt8(ascii: "[") {
                current = try header(from: root)
            } else {
                try assignment(into: current)
            }
            try endOfLine()
        }
    }

    /// `[a.b]` or `[[a.b]]`, from the first bracket to the last.
    private mutating func header(from root: TOMLTableBuilder) throws(ConfigurationError) -> TOMLTableBuilder {
        let origin = origin
        position += 1
        let isElement = take("[")
        skipSpace()
        let path = try key()
        guard take("]"), !isElement || take("]") else { throw error("a header must end with ] on the same line") }
        return try root.open(path, isElement: isElement, origin: origin)
    }

    /// `a.b = value`.
    mutating func assignment(into table: TOMLTableBuilder) throws(ConfigurationError) {
        let origin = origin
        let path = try key()
        guard take("=") else { throw error("a key must be followed by = and a value") }
        skipSpace()
        try table.assign(try value(depth: 0), to: path, origin: origin)
    }

    /// A dotted key, up to what follows it and the space before that.
    mutating func key() throws(ConfigurationError) -> [String] {
        var parts: [String] = []
        repeat {
            skipSpace()
            parts.append(try simpleKey())
            skipSpace()
            guard parts.count <= Self.maximumDepth else {
                throw error("a key has more than \(Self.maximumDepth) parts")
            }
        } while take(".")
        return parts
    }

    private mutating func simpleKey() throws(ConfigurationError) -> String {
        switch peek {
        case UInt8(ascii: "\""):
            position += 1
            return try basicString()
        case UInt8(ascii: "'"):
            position += 1
            return try literalString()
        default:
            let start = position
            while let byte = peek, Self.isBareKey(byte) { position += 1 }
            guard position > start else {
                throw error("a key is missing; this line is neither a header nor key = value")
            }
            // Kebab and snake case are the same key, as on the command line.
            return String(decoding: bytes[start..<position].map { $0 == 0x2D ? 0x5F : $0 }, as: UTF8.self)
        }
    }

    static func isBareKey(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || byte == 95 || byte == 45
    }
}

// MARK: - Moving on

extension TOMLReader {
    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    var origin: ConfigurationOrigin { ConfigurationOrigin(source: source, line: line) }

    func error(_ message: String) -> ConfigurationError {
        ConfigurationError("", origin: origin, "this is not TOML: \(message)")
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x09 { position += 1 }
    }

    /// Takes `\n` or `\r\n`.
    mutating func takeNewline() -> Bool {
        if peek == 0x0A {
            position += 1
        } else if peek == 0x0D, position + 1 < bytes.count, bytes[position + 1] == 0x0A {
            position += 2
        } else {
            return false
        }
        line += 1
        return true
    }

    /// Skips spaces, comments and newlines.
    mutating func skipBlankLines() {
        repeat {
            skipSpace()
            skipComment()
        } while takeNewline()
    }

    mutating func skipComment() {
        guard peek == UInt8(ascii: "#") else { return }
        while let byte = peek, byte != 0x0A { position += 1 }
        // A comment that ends with \r\n leaves the \r to the newline.
        if position < bytes.count, position > 0, bytes[position - 1] == 0x0D { position -= 1 }
    }

    private mutating func endOfLine() throws(ConfigurationError) {
        skipSpace()
        skipComment()
        guard peek == nil || takeNewline() else { throw error("there is more text after the value") }
    }
}
