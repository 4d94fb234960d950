/// Numbers as Python reads them from texts.
enum NumberText {
    /// `int(text, base)`: white space, a sign, a prefix, digits with single underscores; nil for anything else.
    static func integer(_ text: Text, base: Int) throws(TemplateError) -> Int? {
        guard base == 0 || (2...36).contains(base) else { return nil }
        var digits = Substring(text.stripped(of: nil, start: true, end: true).string)
        var sign = ""
        if let first = digits.first, first == "-" || first == "+" {
            sign = first == "-" ? "-" : ""
            digits = digits.dropFirst()
        }
        var radix = base
        var mayBeginWithUnderscore = false
        let prefix = digits.prefix(2).lowercased()
        for (mark, value) in [("0x", 16), ("0o", 8), ("0b", 2)] where prefix == mark && (base == value || base == 0) {
            digits = digits.dropFirst(2)
            radix = value
            mayBeginWithUnderscore = true
        }
        if radix == 0 {
            radix = 10
            if digits.first == "0", digits.contains(where: { $0 != "0" && $0 != "_" }) { return nil }
        }
        guard let plain = withoutUnderscores(digits, mayBegin: mayBeginWithUnderscore),
            plain.allSatisfy({ digit($0).map { $0 < radix } ?? false })
        else { return nil }
        guard let value = Int(sign + plain, radix: radix) else {
            throw TemplateError(.limit, "a number of more than 64 bits")
        }
        return value
    }

    private static func digit(_ character: Character) -> Int? {
        guard character.isASCII else { return nil }
        if let value = character.hexDigitValue { return value }
        guard let scalar = character.lowercased().unicodeScalars.first, ("a"..."z").contains(scalar) else { return nil }
        return Int(scalar.value) - 87
    }

    /// `float(text)`; nil for what is no number.
    static func number(_ text: Text) -> Double? {
        let trimmed = text.stripped(of: nil, start: true, end: true).string
        var body = Substring(trimmed)
        let isNegative = body.first == "-"
        if body.first == "-" || body.first == "+" { body = body.dropFirst() }
        switch body.lowercased() {
        case "inf", "infinity": return isNegative ? -.infinity : .infinity
        case "nan": return .nan
        default: break
        }
        guard let plain = withoutUnderscores(body, mayBegin: false), let first = plain.first,
            first == "." || first.isASCII && first.isNumber,
            plain.allSatisfy({ $0.isASCII && ($0.isNumber || ".eE+-".contains($0)) })
        else { return nil }
        // Swift wants digits on both sides of the point.
        var normal = plain.hasPrefix(".") ? "0" + plain : String(plain)
        guard let point = normal.firstIndex(of: ".") else { return Double(normal).map { isNegative ? -$0 : $0 } }
        let after = normal.index(after: point)
        let hasDigits = after < normal.endIndex && normal[after].isNumber
        if plain.first == ".", !hasDigits { return nil }
        if !hasDigits { normal.insert("0", at: after) }
        return Double(normal).map { isNegative ? -$0 : $0 }
    }

    /// Digits without the underscores between them; nil where one stands elsewhere, or there are no digits.
    private static func withoutUnderscores(_ digits: Substring, mayBegin: Bool) -> String? {
        var plain = ""
        var previous: Character? = mayBegin ? "0" : nil
        for character in digits {
            if character == "_" {
                guard let before = previous, before.isHexDigit || before.isLetter else { return nil }
            } else {
                plain.append(character)
            }
            previous = character
        }
        return plain.isEmpty || previous == "_" ? nil : plain
    }
}
