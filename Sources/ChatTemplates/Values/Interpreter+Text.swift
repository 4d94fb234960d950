extension Interpreter {
    /// A value as it is printed: `str`.
    func string(_ value: Value) throws(TemplateError) -> Text {
        switch value {
        case .undefined: return ""
        case .string(let text): return text
        default: return try representation(value)
        }
    }

    /// A value as it is printed inside a list: `repr`.
    func representation(_ value: Value) throws(TemplateError) -> Text {
        var writer = RepresentationWriter(interpreter: self)
        try writer.write(value)
        return writer.text
    }
}

/// Writes values as Python's `repr` does.
private struct RepresentationWriter {
    let interpreter: Interpreter
    var text = Text()
    private var depth = 0

    init(interpreter: Interpreter) {
        self.interpreter = interpreter
    }

    mutating func write(_ value: Value) throws(TemplateError) {
        try interpreter.spend(1)
        switch value {
        case .undefined: try append("Undefined")
        case .none: try append("None")
        case .bool(let value): try append(value ? "True" : "False")
        case .integer(let value): try append(String(value))
        case .float(let value): try append(FloatText.representation(value))
        case .string(let string): try write(string)
        case .list(let items): try write(items.items, open: "[", close: "]")
        case .tuple(let items): try write(items.items, open: "(", close: items.items.count == 1 ? ",)" : ")")
        case .dictionary(let mapping): try write(mapping)
        case .view(let view):
            try write((0..<view.mapping.count).map(view.element), open: "dict_\(view.kind.rawValue)([", close: "])")
        case .range(let range):
            let step = range.step == 1 ? "" : ", \(range.step)"
            try append("range(\(range.start), \(range.end)\(step))")
        case .namespace(let namespace):
            try append("<Namespace ")
            try write(namespace.attributes)
            try append(">")
        case .loop(let loop): try append("<LoopContext \(loop.index0 + 1)/\(try loop.count(interpreter))>")
        case .function(let function):
            guard case .macro = function.body else {
                throw TemplateError(.value, "\(function.name) is printed, not called: parentheses are missing")
            }
            try append(function.name.isEmpty ? "<Macro anonymous>" : "<Macro '\(function.name)'>")
        case .iterator:
            throw TemplateError(.value, "the result of a filter is printed that is no list yet: add \"| list\"")
        }
    }

    private mutating func append(_ string: String) throws(TemplateError) {
        text.scalars += string.unicodeScalars
        try checkLength()
    }

    private func checkLength() throws(TemplateError) {
        guard text.count <= interpreter.limits.characters else {
            throw TemplateError(.limit, "a text of more than \(interpreter.limits.characters) characters")
        }
    }

    private mutating func write(_ items: [Value], open: String, close: String) throws(TemplateError) {
        try enter()
        try append(open)
        for (index, item) in items.enumerated() {
            if index > 0 { try append(", ") }
            try write(item)
        }
        try append(close)
        depth -= 1
    }

    private mutating func write(_ mapping: Mapping) throws(TemplateError) {
        try enter()
        try append("{")
        for index in 0..<mapping.count {
            if index > 0 { try append(", ") }
            try write(mapping.keys[index])
            try append(": ")
            try write(mapping.values[index])
        }
        try append("}")
        depth -= 1
    }

    /// Namespaces may hold each other in circles.
    private mutating func enter() throws(TemplateError) {
        depth += 1
        guard depth <= TemplateLimits.valueDepth else {
            throw TemplateError(.limit, "values nested deeper than \(TemplateLimits.valueDepth) levels")
        }
    }

    /// A text in the quotes that need fewer escapes.
    private mutating func write(_ string: Text) throws(TemplateError) {
        try interpreter.spend(string.count / 4)
        let quote: Unicode.Scalar = string.scalars.contains("'") && !string.scalars.contains("\"") ? "\"" : "'"
        if string.isMarkup { try append("Markup(") }
        text.scalars.append(quote)
        for scalar in string.scalars {
            switch scalar {
            case quote, "\\":
                text.scalars.append("\\")
                text.scalars.append(scalar)
            case "\n": text.scalars += "\\n".unicodeScalars
            case "\r": text.scalars += "\\r".unicodeScalars
            case "\t": text.scalars += "\\t".unicodeScalars
            default:
                if scalar.isPythonPrintable {
                    text.scalars.append(scalar)
                } else {
                    text.scalars += scalar.pythonEscape.unicodeScalars
                }
            }
        }
        text.scalars.append(quote)
        if string.isMarkup { try append(")") }
        try checkLength()
    }
}

extension Unicode.Scalar {
    /// What `str.isprintable` accepts.
    var isPythonPrintable: Bool {
        if isASCII { return value >= 0x20 && value < 0x7F }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }

    /// `\xNN`, `\uNNNN` or `\UNNNNNNNN`.
    var pythonEscape: String {
        let digits = String(value, radix: 16)
        let (letter, width) = value < 0x100 ? ("x", 2) : value < 0x10000 ? ("u", 4) : ("U", 8)
        return "\\\(letter)" + String(repeating: "0", count: width - digits.count) + digits
    }
}
