/// `"…%s…" % values`.
struct PercentFormat {
    private let format: Text
    private let interpreter: Interpreter
    private let values: [Value]
    private let names: Mapping?
    private var nextValue = 0
    private var index = 0

    static func format(_ format: Text, _ value: Value, _ interpreter: Interpreter) throws(TemplateError) -> Text {
        try interpreter.check(characters: format.count)
        var formatter = PercentFormat(format, value, interpreter)
        let result = try formatter.run()
        var takesAll = formatter.nextValue == formatter.values.count || formatter.names != nil
        switch value {
        case .list, .view, .range, .undefined: takesAll = takesAll || formatter.nextValue == 0
        default: break
        }
        guard takesAll else { throw TemplateError(.value, "not all values find a place in the format") }
        return result
    }

    private init(_ format: Text, _ value: Value, _ interpreter: Interpreter) {
        self.format = format
        self.interpreter = interpreter
        if case .tuple(let items) = value { values = items.items } else { values = [value] }
        if case .dictionary(let mapping) = value { names = mapping } else { names = nil }
    }

    private mutating func run() throws(TemplateError) -> Text {
        var result = Text()
        while index < format.count {
            let scalar = format.scalars[index]
            index += 1
            guard scalar == "%" else {
                result.scalars.append(scalar)
                continue
            }
            result.scalars += try field().scalars
            try interpreter.spend(1)
            guard result.count <= interpreter.limits.characters else {
                throw TemplateError(.limit, "a text of more than \(interpreter.limits.characters) characters")
            }
        }
        return result
    }

    private func peek() throws(TemplateError) -> Unicode.Scalar {
        guard index < format.count else { throw TemplateError(.value, "the format ends within a field") }
        return format.scalars[index]
    }

    private mutating func field() throws(TemplateError) -> Text {
        var layout = FieldFormat()
        var named: Value?
        if try peek() == "(" { named = try namedValue() }
        var isLeft = false
        var fillsZeros = false
        loop: while true {
            switch try peek() {
            case "-": isLeft = true
            case "+": layout.sign = "+"
            case " ": if layout.sign == nil { layout.sign = " " }
            case "#": layout.isAlternate = true
            case "0": fillsZeros = true
            default: break loop
            }
            index += 1
        }
        layout.width = try number() ?? 0
        if layout.width < 0 {
            isLeft = true
            layout.width = layout.width == .min ? .max : -layout.width
        }
        if try peek() == "." {
            index += 1
            layout.precision = max(0, try number() ?? 0)
        }
        while "hlL".unicodeScalars.contains(try peek()) { index += 1 }
        let style = try peek()
        index += 1
        layout.alignment = isLeft ? .start : .end
        if style == "%" { return "%" }
        let value: Value
        if let named { value = named } else { value = try next() }
        if "sra".unicodeScalars.contains(style) {
            let text = style == "s" ? try interpreter.string(value) : try interpreter.representation(value)
            return try layout.text(text, interpreter)
        }
        if fillsZeros, !isLeft { (layout.filling, layout.alignment) = ("0", .digits) }
        return try numeric(value, style, layout)
    }

    private func numeric(_ value: Value, _ style: Unicode.Scalar, _ layout: FieldFormat) throws(TemplateError) -> Text {
        switch style {
        case "d", "i", "u":
            if case .float(let number) = value, let integer = Int(exactly: number.rounded(.towardZero)) {
                return try digits(integer, 10, style, layout)
            }
            guard let integer = value.integerOrBool else { throw unfit(value, style) }
            return try digits(integer, 10, style, layout)
        case "x", "X", "o":
            guard let integer = value.integerOrBool else { throw unfit(value, style) }
            return try digits(integer, style == "o" ? 8 : 16, style, layout)
        case "f", "F", "e", "E", "g", "G":
            guard let number = value.number else { throw unfit(value, style) }
            return try layout.number(number, style: style, interpreter)
        case "c":
            if case .string(let text) = value, text.count == 1 { return try layout.text(text, interpreter) }
            guard let code = value.integerOrBool, let scalar = UInt32(exactly: code).flatMap(Unicode.Scalar.init) else {
                throw unfit(value, style)
            }
            return try layout.text(Text([scalar]), interpreter)
        default: throw TemplateError(.value, "the format has no field %\(style)")
        }
    }

    private func digits(
        _ value: Int, _ base: Int, _ style: Unicode.Scalar, _ layout: FieldFormat
    ) throws(TemplateError) -> Text {
        guard layout.precision == nil else {
            throw TemplateError(.unsupported, "a precision of integers is not supported")
        }
        return try layout.integer(value, base: base, uppercase: style == "X", interpreter)
    }

    private func unfit(_ value: Value, _ style: Unicode.Scalar) -> TemplateError {
        interpreter.unusable(value, "%\(style) needs a number, not \(value.typeName)")
    }

    private mutating func namedValue() throws(TemplateError) -> Value {
        guard let names else { throw TemplateError(.value, "a named field needs a dictionary") }
        index += 1
        let start = index
        var open = 1
        while true {
            let scalar = try peek()
            index += 1
            if scalar == "(" { open += 1 }
            if scalar == ")" { open -= 1 }
            if open == 0 { break }
        }
        let name = format[start..<(index - 1)]
        guard let value = names[name] else {
            throw TemplateError(.value, "the format's field \"\(name.string.prefix(40))\" is missing")
        }
        return value
    }

    private mutating func number() throws(TemplateError) -> Int? {
        if try peek() == "*" {
            index += 1
            guard let value = try next().integerOrBool else { throw TemplateError(.value, "* needs an integer") }
            return value
        }
        var value: Int?
        while let digit = Int(String(try peek())), format.scalars[index].isASCIIDigit {
            value = try Arithmetic.add(try Arithmetic.multiply(value ?? 0, 10), digit)
            index += 1
        }
        return value
    }

    private mutating func next() throws(TemplateError) -> Value {
        guard nextValue < values.count else { throw TemplateError(.value, "the format has more fields than values") }
        nextValue += 1
        return values[nextValue - 1]
    }
}
