#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How one value is laid out in a format string: what `%5.2f` and `{:>10}` say.
struct FieldFormat {
    var filling: Unicode.Scalar = " "
    var alignment: Alignment?
    var sign: Unicode.Scalar?
    var isAlternate = false
    var groups: Unicode.Scalar?
    var width = 0
    var precision: Int?

    enum Alignment {
        case start
        case center
        case end
        /// Between the sign and the digits.
        case digits
    }

    /// A text, cut to the precision.
    func text(_ text: Text, _ interpreter: Interpreter) throws(TemplateError) -> Text {
        let cut = precision.map { text[0..<min(text.count, $0)] } ?? text
        let side: TextSide = alignment == .end ? .end : alignment == .center ? .center : .start
        return try padded(cut, side, interpreter)
    }

    private func padded(_ text: Text, _ side: TextSide, _ interpreter: Interpreter) throws(TemplateError) -> Text {
        guard side == .center else { return try interpreter.padded(text, to: width, with: filling, side) }
        // A format centres to the left where `str.center` may centre to the right.
        let missing = max(0, width - text.count)
        let left = try interpreter.padded(text, to: text.count + missing / 2, with: filling, .end)
        return try interpreter.padded(left, to: width, with: filling, .start)
    }

    /// An integer in a base, or a character's code.
    func integer(_ value: Int, base: Int, uppercase: Bool, _ interpreter: Interpreter) throws(TemplateError) -> Text {
        var digits = String(value.magnitude, radix: base, uppercase: uppercase)
        if let groups { digits = grouped(digits, by: groups, size: base == 10 ? 3 : 4) }
        let marks = [2: "0b", 8: "0o", 16: uppercase ? "0X" : "0x"]
        let prefix = isAlternate ? marks[base] ?? "" : ""
        return try number(prefix: signText(value < 0) + prefix, digits: digits, interpreter)
    }

    /// A number with a point, as C's `printf` writes it.
    func number(_ value: Double, style: Unicode.Scalar, _ interpreter: Interpreter) throws(TemplateError) -> Text {
        var style = style
        let isPercent = style == "%"
        if isPercent { style = "f" }
        let precision = precision ?? 6
        guard precision <= 200 else { throw TemplateError(.limit, "more than 200 digits") }
        var magnitude = value.magnitude * (isPercent ? 100 : 1)
        if magnitude.isNaN { magnitude = .nan }
        var buffer = [CChar](repeating: 0, count: 800)
        let written = withVaList([Int32(precision), magnitude]) {
            vsnprintf(&buffer, buffer.count, "%\(isAlternate ? "#" : "").*\(style)", $0)
        }
        var digits = String(decoding: buffer[..<Int(max(0, written))].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if let groups {
            let whole = digits.prefix { $0.isNumber }
            digits = grouped(String(whole), by: groups, size: 3) + digits.dropFirst(whole.count)
        }
        let isNegative = value.sign == .minus && !value.isNaN
        return try number(prefix: signText(isNegative), digits: digits + (isPercent ? "%" : ""), interpreter)
    }

    private func signText(_ isNegative: Bool) -> String {
        if isNegative { return "-" }
        return sign == "+" ? "+" : sign == " " ? " " : ""
    }

    private func grouped(_ digits: String, by separator: Unicode.Scalar, size: Int) -> String {
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % size == 0 { result.unicodeScalars.append(separator) }
            result.append(digit)
        }
        return result
    }

    private func number(
        prefix: String, digits: String, _ interpreter: Interpreter
    ) throws(TemplateError) -> Text {
        switch alignment ?? .end {
        case .digits:
            let padded = try interpreter.padded(Text(digits), to: width - prefix.count, with: filling, .end)
            return Text(Text(prefix).scalars + padded.scalars)
        case .start: return try padded(Text(prefix + digits), .start, interpreter)
        case .center: return try padded(Text(prefix + digits), .center, interpreter)
        case .end: return try padded(Text(prefix + digits), .end, interpreter)
        }
    }
}
