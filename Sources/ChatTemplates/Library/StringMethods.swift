/// The methods of Python's `str`.
enum StringMethods {
    typealias Body = @Sendable (Text, Interpreter, Arguments) throws(TemplateError) -> Value

    /// The methods that are supported.
    static var names: [String] { Array(table.keys) }

    /// A method bound to its text; nil where `str` has none of that name.
    static func method(_ name: String, of text: Text) -> Value? {
        guard let body = table[name] else { return nil }
        return .function(
            Function("str.\(name)") { (interpreter, arguments) throws(TemplateError) in
                try interpreter.check(characters: text.count)
                let result = try body(text, interpreter, arguments)
                return text.isMarkup ? marked(result) : result
            })
    }

    /// What a method makes of a marked text is marked as well.
    private static func marked(_ value: Value) -> Value {
        switch value {
        case .string(var text):
            text.isMarkup = true
            return .string(text)
        case .list(let items): return .list(items.items.map(marked))
        case .tuple(let items): return .tuple(items.items.map(marked))
        default: return value
        }
    }

    private static let table: [String: Body] = [
        "upper": plain("upper") { $0.uppercased }, "lower": plain("lower") { $0.lowercased },
        "title": plain("title") { $0.titled },
        "capitalize": plain("capitalize") { $0.capitalized }, "swapcase": plain("swapcase") { $0.caseSwapped },
        "strip": strip("strip", start: true, end: true), "lstrip": strip("lstrip", start: true, end: false),
        "rstrip": strip("rstrip", start: false, end: true),
        "split": SplitMethods.split, "rsplit": SplitMethods.splitFromEnd, "splitlines": SplitMethods.lines,
        "partition": SplitMethods.partition, "rpartition": SplitMethods.partitionFromEnd,
        "startswith": affix("startswith") { $0.hasPrefix($1) }, "endswith": affix("endswith") { $0.hasSuffix($1) },
        "find": SearchMethods.find, "rfind": SearchMethods.findLast, "index": SearchMethods.index,
        "rindex": SearchMethods.indexLast, "count": SearchMethods.count,
        "replace": { text, interpreter, arguments throws(TemplateError) in
            let bound = try arguments.bound(to: ["old", "new", "count"], of: "replace")
            return .string(
                try interpreter.replaced(
                    text, try bound.text(0), by: try bound.text(1), limit: try bound.integer(2, default: -1)))
        },
        "join": { text, interpreter, arguments throws(TemplateError) in
            let bound = try arguments.bound(to: ["iterable"], of: "join")
            let items = try interpreter.items(of: try bound.required(0))
            for item in items {
                guard case .string = item else {
                    throw interpreter.unusable(item, "only strings can be joined, not \(item.typeName)")
                }
            }
            return try ListFilters.join(.list(items), interpreter, Arguments(positional: [.string(text)]))
        },
        "removeprefix": { text, _, arguments throws(TemplateError) in
            let prefix = try arguments.bound(to: ["prefix"], of: "removeprefix").text(0)
            return .string(text.hasPrefix(prefix) ? text[prefix.count..<text.count] : text)
        },
        "removesuffix": { text, _, arguments throws(TemplateError) in
            let suffix = try arguments.bound(to: ["suffix"], of: "removesuffix").text(0)
            return .string(text.hasSuffix(suffix) ? text[0..<(text.count - suffix.count)] : text)
        },
        "center": pad("center", .center), "ljust": pad("ljust", .start), "rjust": pad("rjust", .end),
        "zfill": { text, interpreter, arguments throws(TemplateError) in
            let width = max(0, try arguments.bound(to: ["width"], of: "zfill").integer(0))
            let sign = text.scalars.first == "-" || text.scalars.first == "+" ? 1 : 0
            let digits = try interpreter.padded(text[sign..<text.count], to: width - sign, with: "0", .end)
            return .string(Text(text.scalars[..<sign] + digits.scalars))
        },
        "isdigit": check("isdigit") {
            $0.properties.numericType == .decimal || $0.properties.numericType == .digit
        },
        "isdecimal": check("isdecimal") { $0.properties.numericType == .decimal },
        "isnumeric": check("isnumeric") { $0.properties.numericType != nil },
        "isalpha": check("isalpha") { $0.isPythonLetter },
        "isalnum": check("isalnum") { $0.isPythonLetter || $0.properties.numericType != nil },
        "isspace": check("isspace") { $0.isPythonSpace },
        "isascii": { text, _, arguments throws(TemplateError) in
            _ = try arguments.bound(to: [], of: "isascii")
            return .bool(text.scalars.allSatisfy(\.isASCII))
        },
        "islower": { text, _, arguments throws(TemplateError) in
            _ = try arguments.bound(to: [], of: "islower")
            return .bool(text.isCased(upper: false))
        },
        "isupper": { text, _, arguments throws(TemplateError) in
            _ = try arguments.bound(to: [], of: "isupper")
            return .bool(text.isCased(upper: true))
        },
        "format": { text, interpreter, arguments throws(TemplateError) in
            .string(try BraceFormat.format(text, arguments, interpreter))
        },
    ]

    /// A method without arguments that makes another text.
    private static func plain(_ name: String, _ transform: @escaping @Sendable (Text) -> Text) -> Body {
        { text, _, arguments throws(TemplateError) in
            _ = try arguments.bound(to: [], of: name)
            return .string(transform(text))
        }
    }

    private static func check(_ name: String, _ fits: @escaping @Sendable (Unicode.Scalar) -> Bool) -> Body {
        { text, _, arguments throws(TemplateError) in
            _ = try arguments.bound(to: [], of: name)
            return .bool(text.isMade(of: fits))
        }
    }

    private static func strip(_ name: String, start: Bool, end: Bool) -> Body {
        { text, _, arguments throws(TemplateError) in
            let bound = try arguments.bound(to: ["chars"], of: name)
            return .string(text.stripped(of: try bound.optionalText(0), start: start, end: end))
        }
    }

    private static func pad(_ name: String, _ side: TextSide) -> Body {
        { text, interpreter, arguments throws(TemplateError) in
            let bound = try arguments.bound(to: ["width", "fillchar"], of: name)
            let filling = try bound.text(1, default: " ")
            guard filling.count == 1 else { throw TemplateError(.value, "\(name) fills with one character") }
            return .string(
                try interpreter.padded(text, to: try bound.integer(0), with: filling.scalars[0], side))
        }
    }

    /// `startswith` and `endswith`: one text or a tuple of texts, perhaps within a range.
    private static func affix(_ name: String, _ matches: @escaping @Sendable (Text, Text) -> Bool) -> Body {
        { text, interpreter, arguments throws(TemplateError) in
            let bound = try arguments.bound(to: ["affix", "start", "end"], of: name)
            let range = try SearchMethods.range(of: text, bound)
            let candidates: [Value]
            switch try bound.required(0) {
            case .tuple(let items): candidates = items.items
            case let single: candidates = [single]
            }
            try interpreter.spend(elements: candidates.count)
            for candidate in candidates {
                guard case .string(let affix) = candidate else {
                    throw interpreter.unusable(candidate, "\(name) takes strings, not \(candidate.typeName)")
                }
                if let range, matches(text[range], affix) { return .bool(true) }
            }
            return .bool(false)
        }
    }
}

/// Where a text stands in a wider field.
enum TextSide {
    case start
    case center
    case end
}

extension Interpreter {
    /// A text filled up to a width.
    func padded(
        _ text: Text, to width: Int, with filling: Unicode.Scalar, _ side: TextSide
    ) throws(TemplateError) -> Text {
        guard width > text.count else { return text }
        try check(characters: width)
        let missing = width - text.count
        let before: Int
        switch side {
        case .start: before = 0
        case .end: before = missing
        case .center: before = missing / 2 + (missing & width & 1)
        }
        return Text(
            Array(repeating: filling, count: before) + text.scalars + Array(repeating: filling, count: missing - before)
        )
    }

    /// A text with a part replaced, at most `limit` times; any number of times if negative.
    func replaced(_ text: Text, _ part: Text, by replacement: Text, limit: Int) throws(TemplateError) -> Text {
        try check(characters: text.count)
        let limit = limit < 0 ? Int.max : limit
        let places: [Int]
        if part.isEmpty {
            places = Array((0...text.count).prefix(limit))
        } else {
            places = text.indices(of: part, limit: limit)
        }
        guard !places.isEmpty else { return text }
        let (added, overflow) = places.count.multipliedReportingOverflow(by: replacement.count)
        try check(characters: overflow ? limits.characters + 1 : text.count - places.count * part.count + added)
        var result = Text()
        var start = 0
        for place in places {
            result.scalars += text.scalars[start..<place]
            result.scalars += replacement.scalars
            start = place + part.count
        }
        result.scalars += text.scalars[start...]
        return result
    }
}

extension Unicode.Scalar {
    /// What `str.isalpha` accepts.
    var isPythonLetter: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
        default: return false
        }
    }
}
