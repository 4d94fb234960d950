/// Writes values as Python's `json.dumps` does.
struct JSONWriter {
    let interpreter: Interpreter
    var ensuresASCII = false
    /// What one level is indented by; nil writes one line.
    var indentation: Text?
    var itemSeparator: Text = ", "
    var keySeparator: Text = ": "
    var sortsKeys = false
    private(set) var text = Text()
    private var depth = 0

    init(interpreter: Interpreter) {
        self.interpreter = interpreter
    }

    mutating func write(_ value: Value) throws(TemplateError) {
        try interpreter.spend(1)
        switch value {
        case .none: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .integer(let value): append(String(value))
        case .float(let value): append(number(value))
        case .string(let string): try write(string)
        case .list(let items), .tuple(let items): try write(items.items)
        case .dictionary(let mapping): try write(mapping)
        default: throw interpreter.unusable(value, "\(value.typeName) cannot be written as JSON")
        }
        try checkLength()
    }

    private func checkLength() throws(TemplateError) {
        guard text.count <= interpreter.limits.characters else {
            throw TemplateError(.limit, "a text of more than \(interpreter.limits.characters) characters")
        }
    }

    private mutating func append(_ string: String) {
        text.scalars += string.unicodeScalars
    }

    private func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        return FloatText.representation(value)
    }

    private mutating func write(_ items: [Value]) throws(TemplateError) {
        append("[")
        depth += 1
        for (index, item) in items.enumerated() {
            if index > 0 { text.scalars += itemSeparator.scalars }
            try newLine()
            try write(item)
        }
        depth -= 1
        if !items.isEmpty { try newLine() }
        append("]")
    }

    private mutating func write(_ mapping: Mapping) throws(TemplateError) {
        append("{")
        depth += 1
        for (count, index) in try order(of: mapping).enumerated() {
            if count > 0 { text.scalars += itemSeparator.scalars }
            try newLine()
            try write(try name(mapping.keys[index]))
            text.scalars += keySeparator.scalars
            try write(mapping.values[index])
        }
        depth -= 1
        if mapping.count > 0 { try newLine() }
        append("}")
    }

    private func order(of mapping: Mapping) throws(TemplateError) -> [Int] {
        let indices = Array(0..<mapping.count)
        guard sortsKeys else { return indices }
        return try interpreter.sorted(indices, by: { mapping.keys[$0] })
    }

    private func name(_ key: Value) throws(TemplateError) -> Text {
        switch key {
        case .string(let text): return text
        case .none: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .integer(let value): return Text(String(value))
        case .float(let value): return Text(number(value))
        default: throw TemplateError(.value, "\(key.typeName) cannot be a name in JSON")
        }
    }

    private mutating func newLine() throws(TemplateError) {
        guard let indentation else { return }
        try interpreter.check(characters: depth * indentation.count)
        try checkLength()
        text.scalars.append("\n")
        for _ in 0..<depth { text.scalars += indentation.scalars }
    }

    private mutating func write(_ string: Text) throws(TemplateError) {
        try interpreter.spend(string.count / 4)
        append("\"")
        for scalar in string.scalars {
            switch scalar {
            case "\"": append("\\\"")
            case "\\": append("\\\\")
            case "\n": append("\\n")
            case "\r": append("\\r")
            case "\t": append("\\t")
            case "\u{8}": append("\\b")
            case "\u{C}": append("\\f")
            default:
                if scalar.value < 0x20 || (ensuresASCII && scalar.value > 0x7E) {
                    for unit in UTF16.encode(scalar) ?? .init() { append(escape(unit)) }
                } else {
                    text.scalars.append(scalar)
                }
            }
        }
        append("\"")
    }

    private func escape(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
