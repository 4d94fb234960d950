/// String literals as Jinja reads them: through Python's `unicode-escape` codec.
enum StringEscapes {
    /// The text of a literal without its quotes.
    static func decoded(_ literal: ArraySlice<Unicode.Scalar>) throws(TemplateError) -> Text {
        guard literal.contains("\\") else { return Text(Array(literal)) }
        var decoded: [Unicode.Scalar] = []
        var index = literal.startIndex
        while index < literal.endIndex {
            let scalar = literal[index]
            index += 1
            guard scalar == "\\", index < literal.endIndex else {
                decoded.append(scalar)
                continue
            }
            let mark = literal[index]
            index += 1
            switch mark {
            case "\n": break
            case "\\", "'", "\"": decoded.append(mark)
            case "a": decoded.append("\u{7}")
            case "b": decoded.append("\u{8}")
            case "f": decoded.append("\u{C}")
            case "n": decoded.append("\n")
            case "r": decoded.append("\r")
            case "t": decoded.append("\t")
            case "v": decoded.append("\u{B}")
            case "0"..."7":
                var end = index
                while end < literal.endIndex, end < index + 2, ("0"..."7").contains(literal[end]) { end += 1 }
                decoded.append(try scalarValue(literal[(index - 1)..<end], radix: 8))
                index = end
            case "x": decoded.append(try hexadecimal(literal, at: &index, count: 2))
            case "u": decoded.append(try hexadecimal(literal, at: &index, count: 4))
            case "U": decoded.append(try hexadecimal(literal, at: &index, count: 8))
            case "N": throw TemplateError(.unsupported, "characters by name (\\N) are not supported")
            default:
                decoded.append("\\")
                decoded.append(contentsOf: unknown(mark))
            }
        }
        return Text(decoded)
    }

    /// What an escape of no meaning leaves behind its backslash.
    ///
    /// Jinja writes characters beyond ASCII as escapes before decoding, so that a backslash before one of them swallows
    /// the escape's own backslash: `'\é'` is `\xe9`.
    private static func unknown(_ mark: Unicode.Scalar) -> [Unicode.Scalar] {
        guard !mark.isASCII else { return [mark] }
        let digits = String(mark.value, radix: 16)
        let (letter, width) = mark.value < 0x100 ? ("x", 2) : mark.value < 0x10000 ? ("u", 4) : ("U", 8)
        return Array((letter + String(repeating: "0", count: width - digits.count) + digits).unicodeScalars)
    }

    private static func hexadecimal(
        _ literal: ArraySlice<Unicode.Scalar>, at index: inout Int, count: Int
    ) throws(TemplateError) -> Unicode.Scalar {
        let end = index + count
        guard end <= literal.endIndex, literal[index..<end].allSatisfy(\.properties.isASCIIHexDigit) else {
            throw TemplateError(.syntax, "this escape needs \(count) hexadecimal digits")
        }
        defer { index = end }
        return try scalarValue(literal[index..<end], radix: 16)
    }

    private static func scalarValue(
        _ digits: ArraySlice<Unicode.Scalar>, radix: Int
    ) throws(TemplateError) -> Unicode.Scalar {
        guard let value = UInt32(Text(Array(digits)).string, radix: radix), let scalar = Unicode.Scalar(value) else {
            throw TemplateError(.syntax, "this escape is no character")
        }
        return scalar
    }
}
