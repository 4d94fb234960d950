extension TOMLReader {
    /// A value of any kind.
    mutating func value(depth: Int) throws(ConfigurationError) -> ConfigurationNode {
        guard depth < Self.maximumDepth else { throw error("values are nested deeper than \(Self.maximumDepth)") }
        let origin = origin
        let result: ConfigurationNode.Value
        switch peek {
        case UInt8(ascii: "\""):
            result = .text(take(three: "\"") ? try multilineString(quote: "\"") : try shortString())
        case UInt8(ascii: "'"):
            result = .text(take(three: "'") ? try multilineString(quote: "'") : try shortString())
        case UInt8(ascii: "["): result = try list(depth: depth)
        case UInt8(ascii: "{"): return try inlineTable(depth: depth)
        default: result = try word()
        }
        return ConfigurationNode(result, origin: origin)
    }

    private mutating func list(depth: Int) throws(ConfigurationError) -> ConfigurationNode.Value {
        position += 1
        var elements: [ConfigurationNode] = []
        while true {
            skipBlankLines()
            if take("]") { return .list(elements) }
            elements.append(try value(depth: depth + 1))
            skipBlankLines()
            if take("]") { return .list(elements) }
            guard take(",") else { throw error("a comma or a closing bracket is missing in a list") }
        }
    }

    private mutating func inlineTable(depth: Int) throws(ConfigurationError) -> ConfigurationNode {
        let table = TOMLTableBuilder(origin: origin)
        position += 1
        skipSpace()
        if take("}") { return table.node }
        while true {
            let origin = origin
            let path = try key()
            guard take("=") else { throw error("a key must be followed by = and a value") }
            skipSpace()
            try table.assign(try value(depth: depth + 1), to: path, origin: origin)
            skipSpace()
            if take("}") { return table.node }
            guard take(",") else { throw error("a comma or a closing brace is missing; an inline table is one line") }
        }
    }

    /// True, false or a number: everything up to a space, a comma, a bracket, a comment or the end of the line.
    private mutating func word() throws(ConfigurationError) -> ConfigurationNode.Value {
        let start = position
        while let byte = peek, Self.isBareKey(byte) || [0x2B, 0x2E, 0x3A].contains(byte) { position += 1 }
        let word = String(decoding: bytes[start..<position], as: UTF8.self)
        switch word {
        case "true": return .flag(true)
        case "false": return .flag(false)
        case "": throw error("a value is missing")
        default:
            if let number = TOMLNumber.value(of: word) { return number }
            if word.contains(":") || word.dropFirst(4).first == "-" {
                throw error("dates and times are not used in run files; write a text in quotes")
            }
            throw error("\(word.prefix(40)) is not a value; a text needs quotes")
        }
    }

    private mutating func shortString() throws(ConfigurationError) -> String {
        let quote = peek
        position += 1
        return quote == UInt8(ascii: "\"") ? try basicString() : try literalString()
    }

    private mutating func take(three quote: Unicode.Scalar) -> Bool {
        guard position + 2 < bytes.count, bytes[position..<(position + 3)].allSatisfy({ $0 == UInt8(ascii: quote) })
        else { return false }
        position += 3
        return true
    }
}

/// The numbers of TOML.
enum TOMLNumber {
    /// The value of a word, nil if it is no number.
    static func value(of word: String) -> ConfigurationNode.Value? {
        if let radix = ["0x": 16, "0o": 8, "0b": 2][String(word.prefix(2))] {
            let digits = word.dropFirst(2)
            guard hasSoundUnderscores(digits), digits.first != "+", digits.first != "-" else { return nil }
            return Int64(digits.replacing("_", with: ""), radix: radix).map { .integer($0) }
        }
        let isNegative = word.first == "-"
        let unsigned = isNegative || word.first == "+" ? word.dropFirst() : word[...]
        if unsigned == "inf" { return .number(isNegative ? -.infinity : .infinity) }
        if unsigned == "nan" { return .number(.nan) }

        let mantissaAndExponent = unsigned.split(
            maxSplits: 1, omittingEmptySubsequences: false, whereSeparator: { $0 == "e" || $0 == "E" })
        let wholeAndFraction = mantissaAndExponent[0].split(
            separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard isDecimal(wholeAndFraction[0]), wholeAndFraction[0].count == 1 || wholeAndFraction[0].first != "0",
            wholeAndFraction.count == 1 || isDecimal(wholeAndFraction[1])
        else { return nil }
        if mantissaAndExponent.count == 2 {
            let exponent = mantissaAndExponent[1]
            guard isDecimal(exponent.first == "-" || exponent.first == "+" ? exponent.dropFirst() : exponent) else {
                return nil
            }
        }
        let plain = word.replacing("_", with: "")
        if mantissaAndExponent.count == 1, wholeAndFraction.count == 1 { return Int64(plain).map { .integer($0) } }
        return Double(plain).map { .number($0) }
    }

    private static func isDecimal(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) || $0 == 95 } && hasSoundUnderscores(text)
    }

    /// Underscores stand between digits only.
    private static func hasSoundUnderscores(_ text: Substring) -> Bool {
        text.first != "_" && text.last != "_" && !text.contains("__")
    }
}
