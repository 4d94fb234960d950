/// `"…{}…".format(values)`.
struct BraceFormat {
    private let format: Text
    private let arguments: Arguments
    private let interpreter: Interpreter
    private var index = 0
    private var nextValue = 0
    private var numbering: Numbering?

    private enum Numbering {
        case automatic
        case manual
    }

    static func format(
        _ format: Text, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws(TemplateError) -> Text {
        var formatter = BraceFormat(format: format, arguments: arguments, interpreter: interpreter)
        return try formatter.run()
    }

    private init(format: Text, arguments: Arguments, interpreter: Interpreter) {
        self.format = format
        self.arguments = arguments
        self.interpreter = interpreter
    }

    private mutating func run() throws(TemplateError) -> Text {
        var result = Text()
        while index < format.count {
            let scalar = format.scalars[index]
            index += 1
            if scalar == "{" || scalar == "}" {
                if index < format.count, format.scalars[index] == scalar {
                    index += 1
                    result.scalars.append(scalar)
                    continue
                }
                guard scalar == "{" else { throw TemplateError(.value, "a single } in a format") }
                result.scalars += try field().scalars
                try interpreter.spend(1)
                guard result.count <= interpreter.limits.characters else {
                    throw TemplateError(.limit, "a text of more than \(interpreter.limits.characters) characters")
                }
            } else {
                result.scalars.append(scalar)
            }
        }
        return result
    }

    private mutating func field() throws(TemplateError) -> Text {
        let start = index
        while index < format.count, format.scalars[index] != "}" {
            guard format.scalars[index] != "{" else {
                throw TemplateError(.unsupported, "fields within fields of a format are not supported")
            }
            index += 1
        }
        guard index < format.count else { throw TemplateError(.value, "a field of the format never ends") }
        var name = format[start..<index]
        index += 1
        var specification = Text()
        if let colon = name.firstIndex(of: ":") {
            specification = name[(colon + 1)..<name.count]
            name = name[0..<colon]
        }
        var conversion: Unicode.Scalar?
        if let mark = name.firstIndex(of: "!") {
            guard name.count == mark + 2 else { throw TemplateError(.value, "a conversion is ! and one letter") }
            conversion = name.scalars[mark + 1]
            name = name[0..<mark]
        }
        var value = try value(named: name)
        switch conversion {
        case nil: break
        case "s": value = .string(try interpreter.string(value))
        case "r": value = .string(try interpreter.representation(value))
        default: throw TemplateError(.unsupported, "conversions are !s and !r")
        }
        return try laidOut(value, specification)
    }

    private mutating func value(named name: Text) throws(TemplateError) -> Value {
        let end = name.scalars.firstIndex { $0 == "." || $0 == "[" } ?? name.count
        let first = name[0..<end]
        var value: Value
        if first.isEmpty || first.isMade(of: { $0.isASCIIDigit }) {
            let mode: Numbering = first.isEmpty ? .automatic : .manual
            guard numbering == nil || numbering == mode else {
                throw TemplateError(.value, "a format numbers all of its fields or none")
            }
            numbering = mode
            guard let place = first.isEmpty ? nextValue : Int(first.string), place < arguments.positional.count else {
                throw TemplateError(.value, "the format has more fields than values")
            }
            if first.isEmpty { nextValue += 1 }
            value = arguments.positional[place]
        } else if let named = arguments.named.first(where: { $0.name == first }) {
            value = named.value
        } else {
            throw TemplateError(.value, "the format's field \"\(first.string.prefix(40))\" is missing")
        }
        var rest = name[end..<name.count]
        while let mark = rest.scalars.first {
            if mark == "." {
                let stop = rest.scalars.dropFirst().firstIndex { $0 == "." || $0 == "[" } ?? rest.count
                value = try interpreter.attribute(rest[1..<stop], of: value)
                rest = rest[stop..<rest.count]
            } else {
                guard mark == "[", let close = rest.firstIndex(of: "]") else {
                    throw TemplateError(.value, "a bracket of the format never ends")
                }
                let key = rest[1..<close]
                let number = key.isMade { $0.isASCIIDigit } ? Int(key.string) : nil
                value = try interpreter.item(number.map { .integer($0) } ?? .string(key), of: value)
                rest = rest[(close + 1)..<rest.count]
            }
            try interpreter.spend(1)
        }
        return value
    }

    private func laidOut(_ value: Value, _ specification: Text) throws(TemplateError) -> Text {
        guard !specification.isEmpty else { return try interpreter.string(value) }
        var (layout, style) = try FieldSpecification.parse(specification)
        switch value {
        case .string(let text):
            guard style == nil || style == "s", layout.alignment != .digits, layout.sign == nil else { break }
            return try layout.text(text, interpreter)
        case .integer, .bool:
            let integer = value.integerOrBool ?? 0
            guard let style, "eEfFgG%".unicodeScalars.contains(style) else {
                guard layout.precision == nil else { break }
                return try integerText(integer, style, &layout)
            }
            return try layout.number(Double(integer), style: style, interpreter)
        case .float(let number):
            guard let style else { return try plainNumber(number, layout) }
            guard "eEfFgG%".unicodeScalars.contains(style) else { break }
            return try layout.number(number, style: style, interpreter)
        default: break
        }
        throw interpreter.unusable(value, "\(value.typeName) does not fit the format \"\(specification.string)\"")
    }

    private func integerText(
        _ value: Int, _ style: Unicode.Scalar?, _ layout: inout FieldFormat
    ) throws(TemplateError) -> Text {
        switch style {
        case nil, "d", "n": return try layout.integer(value, base: 10, uppercase: false, interpreter)
        case "x": return try layout.integer(value, base: 16, uppercase: false, interpreter)
        case "X": return try layout.integer(value, base: 16, uppercase: true, interpreter)
        case "o": return try layout.integer(value, base: 8, uppercase: false, interpreter)
        case "b": return try layout.integer(value, base: 2, uppercase: false, interpreter)
        default: throw TemplateError(.unsupported, "this format of an integer is not supported")
        }
    }

    /// A number without a style: its shortest text in the field.
    private func plainNumber(_ value: Double, _ layout: FieldFormat) throws(TemplateError) -> Text {
        guard layout.precision == nil, layout.groups == nil, layout.sign == nil, layout.alignment != .digits else {
            throw TemplateError(.unsupported, "this format of a number needs a style such as f")
        }
        var layout = layout
        layout.alignment = layout.alignment ?? .end
        return try layout.text(Text(FloatText.representation(value)), interpreter)
    }
}

/// What stands behind the colon of a field.
enum FieldSpecification {
    static func parse(_ text: Text) throws(TemplateError) -> (FieldFormat, style: Unicode.Scalar?) {
        var layout = FieldFormat()
        var index = 0
        func scalar(_ offset: Int = 0) -> Unicode.Scalar? {
            index + offset < text.count ? text.scalars[index + offset] : nil
        }
        if let mark = scalar(1).flatMap(alignment), let filling = scalar() {
            (layout.filling, layout.alignment) = (filling, mark)
            index += 2
        } else if let mark = scalar().flatMap(alignment) {
            layout.alignment = mark
            index += 1
        }
        if let sign = scalar(), sign == "+" || sign == "-" || sign == " " {
            layout.sign = sign
            index += 1
        }
        if scalar() == "#" {
            layout.isAlternate = true
            index += 1
        }
        if scalar() == "0" {
            if layout.alignment == nil { (layout.filling, layout.alignment) = ("0", .digits) }
            index += 1
        }
        layout.width = try number(text, &index) ?? 0
        if let mark = scalar(), mark == "," || mark == "_" {
            layout.groups = mark
            index += 1
        }
        if scalar() == "." {
            index += 1
            guard let precision = try number(text, &index) else {
                throw TemplateError(.value, "the precision of a format is missing")
            }
            layout.precision = precision
        }
        let style = scalar()
        if style != nil { index += 1 }
        guard index == text.count else {
            throw TemplateError(.value, "the format \"\(text.string.prefix(40))\" has no meaning")
        }
        return (layout, style)
    }

    private static func alignment(_ scalar: Unicode.Scalar) -> FieldFormat.Alignment? {
        switch scalar {
        case "<": return .start
        case "^": return .center
        case ">": return .end
        case "=": return .digits
        default: return nil
        }
    }

    private static func number(_ text: Text, _ index: inout Int) throws(TemplateError) -> Int? {
        var value: Int?
        while index < text.count, text.scalars[index].isASCIIDigit {
            let digit = Int(text.scalars[index].value) - 48
            value = try Arithmetic.add(try Arithmetic.multiply(value ?? 0, 10), digit)
            index += 1
        }
        return value
    }
}
