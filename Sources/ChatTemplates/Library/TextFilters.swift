/// Filters on texts.
enum TextFilters {
    /// The first letter of each word in upper case; words end at white space and some brackets.
    @Sendable static func title(_ text: Text) -> Text {
        var result = Text()
        var word = Text()
        func isBoundary(_ scalar: Unicode.Scalar) -> Bool {
            scalar.isPythonSpace || scalar == "-" || scalar == "(" || scalar == "{" || scalar == "[" || scalar == "<"
        }
        func finish() {
            guard let first = word.scalars.first else { return }
            result.scalars += Text([first]).uppercased.scalars + Text(word.scalars.dropFirst()).lowercased.scalars
            word = Text()
        }
        var inBoundary = false
        for scalar in text.scalars {
            if isBoundary(scalar) != inBoundary {
                finish()
                inBoundary.toggle()
            }
            word.scalars.append(scalar)
        }
        finish()
        return result
    }

    @Sendable static func trim(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["chars"], of: "trim")
        let text = try interpreter.string(value)
        try interpreter.check(characters: text.count)
        return .string(text.stripped(of: try bound.optionalText(0), start: true, end: true).marked(as: text))
    }

    @Sendable static func replace(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["old", "new", "count"], of: "replace")
        let limit: Int
        if let count = bound[2], case .none = count { limit = -1 } else { limit = try bound.integer(2, default: -1) }
        return .string(
            try interpreter.replaced(
                try interpreter.string(value), try interpreter.string(try bound.required(0)),
                by: try interpreter.string(try bound.required(1)), limit: limit))
    }

    @Sendable static func indent(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["width", "first", "blank"], of: "indent")
        guard case .string(let text) = value else {
            throw interpreter.unusable(value, "only a string can be indented, not \(value.typeName)")
        }
        let indentation: Text
        if case .string(let text) = bound[0] {
            indentation = text
        } else {
            let width = max(0, try bound.integer(0, default: 4))
            try interpreter.check(characters: width)
            indentation = Text(Array(repeating: " ", count: width))
        }
        let first = try bound.isTrue(1, default: false, interpreter)
        let blank = try bound.isTrue(2, default: false, interpreter)
        try interpreter.check(characters: text.count)
        let lines = Text(text.scalars + ["\n"]).lines(keepingEnds: false)
        try interpreter.check(characters: text.count + multiplied(lines.count, indentation.count))
        var result = Text()
        for (index, line) in lines.enumerated() {
            if index > 0 { result.scalars.append("\n") }
            if index > 0 ? blank || !line.isEmpty : first { result.scalars += indentation.scalars }
            result.scalars += line.scalars
        }
        return .string(result)
    }

    private static func multiplied(_ left: Int, _ right: Int) -> Int {
        let (product, overflow) = left.multipliedReportingOverflow(by: right)
        return overflow ? Int.max / 2 : min(product, Int.max / 2)
    }

    @Sendable static func center(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["width"], of: "center")
        let width = try bound.integer(0, default: 80)
        return .string(try interpreter.padded(try interpreter.string(value), to: width, with: " ", .center))
    }

    @Sendable static func truncate(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["length", "killwords", "end", "leeway"], of: "truncate")
        let length = try bound.integer(0, default: 255)
        let end = try bound.text(2, default: "...")
        let leeway = try bound.integer(3, default: 5)
        guard length >= end.count, leeway >= 0, length <= interpreter.limits.characters,
            leeway <= interpreter.limits.characters
        else { throw TemplateError(.value, "truncate needs a length of at least its end, and a leeway of at least 0") }
        if let count = interpreter.knownCount(of: value), count <= length + leeway { return value }
        guard case .string(let text) = value else {
            throw interpreter.unusable(value, "only a string can be truncated, not \(value.typeName)")
        }
        try interpreter.check(characters: text.count)
        let kept = text[0..<(length - end.count)]
        if try bound.isTrue(1, default: false, interpreter) { return .string(Text(kept.scalars + end.scalars)) }
        let words = kept.splitFromEnd(by: " ", limit: 1)
        return .string(Text(words[0].scalars + end.scalars))
    }

    @Sendable static func format(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let format = try interpreter.string(value)
        guard !arguments.named.isEmpty else {
            return .string(try PercentFormat.format(format, .tuple(arguments.positional), interpreter))
        }
        guard arguments.positional.isEmpty else {
            throw TemplateError(.value, "format takes either positional or named arguments")
        }
        let mapping = Mapping()
        for (name, value) in arguments.named { mapping.set(name, to: value) }
        return .string(try PercentFormat.format(format, .dictionary(mapping), interpreter))
    }

    @Sendable static func wordCount(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        _ = try arguments.bound(to: [], of: "wordcount")
        let text = try interpreter.string(value)
        try interpreter.check(characters: text.count)
        var count = 0
        var inWord = false
        for scalar in text.scalars {
            let isPart = scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            if isPart, !inWord { count += 1 }
            inWord = isPart
        }
        return .integer(count)
    }

    @Sendable static func safe(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        _ = try arguments.bound(to: [], of: "safe")
        var text = try interpreter.string(value)
        text.isMarkup = true
        return .string(text)
    }

    @Sendable static func escape(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        _ = try arguments.bound(to: [], of: "escape")
        return .string(try interpreter.escaped(try interpreter.string(value)))
    }

    @Sendable static func forceEscape(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        _ = try arguments.bound(to: [], of: "forceescape")
        var text = try interpreter.string(value)
        text.isMarkup = false
        return .string(try interpreter.escaped(text))
    }
}

extension Arguments.Bound {
    /// A text, or nil where the argument is none or not given.
    func optionalText(_ index: Int) throws(TemplateError) -> Text? {
        guard let value = values[index] else { return nil }
        if case .none = value { return nil }
        return try text(index)
    }
}
