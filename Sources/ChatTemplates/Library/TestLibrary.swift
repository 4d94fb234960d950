/// The tests of Jinja: `value is name`.
enum TestLibrary {
    private typealias Test = @Sendable (Value, Interpreter, Arguments) throws(TemplateError) -> Bool

    static func isKnown(_ name: String) -> Bool { table[name] != nil }

    static func holds(
        _ name: String, of value: Value, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws(TemplateError) -> Bool {
        guard let test = table[name] else { throw TemplateError(.value, "no test named \"\(name.prefix(40))\"") }
        return try test(value, interpreter, arguments)
    }

    private static let table: [String: Test] = [
        "defined": { value, _, arguments throws(TemplateError) in
            try plain(arguments, "defined", !value.isUndefined)
        },
        "undefined": { value, _, arguments throws(TemplateError) in
            try plain(arguments, "undefined", value.isUndefined)
        },
        "none": { value, _, arguments throws(TemplateError) in
            if case .none = value { return try plain(arguments, "none", true) }
            return try plain(arguments, "none", false)
        },
        "boolean": { value, _, arguments throws(TemplateError) in
            try plain(arguments, "boolean", value.truth != nil)
        },
        "true": { value, _, arguments throws(TemplateError) in try plain(arguments, "true", value.truth == true) },
        "false": { value, _, arguments throws(TemplateError) in try plain(arguments, "false", value.truth == false) },
        "integer": { value, _, arguments throws(TemplateError) in
            try plain(arguments, "integer", value.truth == nil && value.integerOrBool != nil)
        },
        "float": { value, _, arguments throws(TemplateError) in
            if case .float = value { return try plain(arguments, "float", true) }
            return try plain(arguments, "float", false)
        },
        "number": { value, _, arguments throws(TemplateError) in
            try plain(arguments, "number", value.number != nil)
        },
        "string": { value, _, arguments throws(TemplateError) in
            if case .string = value { return try plain(arguments, "string", true) }
            return try plain(arguments, "string", false)
        },
        "mapping": { value, _, arguments throws(TemplateError) in
            if case .dictionary = value { return try plain(arguments, "mapping", true) }
            return try plain(arguments, "mapping", false)
        },
        "sequence": { value, _, arguments throws(TemplateError) in
            try plain(arguments, "sequence", value.isSequence)
        },
        "iterable": { value, _, arguments throws(TemplateError) in
            try plain(arguments, "iterable", value.isIterable)
        },
        "callable": { value, _, arguments throws(TemplateError) in
            if case .function = value { return try plain(arguments, "callable", true) }
            if case .loop = value { return try plain(arguments, "callable", true) }
            return try plain(arguments, "callable", value.isUndefined)
        },
        "escaped": { value, _, arguments throws(TemplateError) in
            if case .string(let text) = value { return try plain(arguments, "escaped", text.isMarkup) }
            return try plain(arguments, "escaped", false)
        },
        "lower": { value, interpreter, arguments throws(TemplateError) in
            try plain(arguments, "lower", try interpreter.string(value).isCased(upper: false))
        },
        "upper": { value, interpreter, arguments throws(TemplateError) in
            try plain(arguments, "upper", try interpreter.string(value).isCased(upper: true))
        },
        "odd": { value, interpreter, arguments throws(TemplateError) in
            try plain(arguments, "odd", try remainder(value, .integer(2), interpreter, is: 1))
        },
        "even": { value, interpreter, arguments throws(TemplateError) in
            try plain(arguments, "even", try remainder(value, .integer(2), interpreter, is: 0))
        },
        "divisibleby": { value, interpreter, arguments throws(TemplateError) in
            let divisor = try arguments.bound(to: ["num"], of: "divisibleby").required(0)
            return try remainder(value, divisor, interpreter, is: 0)
        },
        "filter": { value, interpreter, arguments throws(TemplateError) in
            let name = try name(value, interpreter)
            return try plain(arguments, "filter", name.map(FilterLibrary.isKnown) ?? false)
        },
        "test": { value, interpreter, arguments throws(TemplateError) in
            let name = try name(value, interpreter)
            return try plain(arguments, "test", name.map(isKnown) ?? false)
        },
        "sameas": { value, interpreter, arguments throws(TemplateError) in
            let other = try arguments.bound(to: ["other"], of: "sameas").required(0)
            return try isSame(value, other, interpreter)
        },
        "in": { value, interpreter, arguments throws(TemplateError) in
            try interpreter.contains(try arguments.bound(to: ["seq"], of: "in").required(0), value)
        },
        "==": comparison(.equal), "eq": comparison(.equal), "equalto": comparison(.equal),
        "!=": comparison(.notEqual), "ne": comparison(.notEqual),
        ">": comparison(.greater), "gt": comparison(.greater), "greaterthan": comparison(.greater),
        ">=": comparison(.greaterOrEqual), "ge": comparison(.greaterOrEqual),
        "<": comparison(.less), "lt": comparison(.less), "lessthan": comparison(.less),
        "<=": comparison(.lessOrEqual), "le": comparison(.lessOrEqual),
    ]

    /// A value as the name of a filter or a test; nil for what can be a key but is no text.
    private static func name(_ value: Value, _ interpreter: Interpreter) throws(TemplateError) -> String? {
        guard try interpreter.key(of: value) != nil else {
            throw TemplateError(.value, "\(value.typeName) is no name")
        }
        if case .string(let text) = value { return text.string }
        return nil
    }

    /// The result of a test that takes no arguments.
    private static func plain(_ arguments: Arguments, _ name: String, _ result: Bool) throws(TemplateError) -> Bool {
        _ = try arguments.bound(to: [], of: name)
        return result
    }

    private static func comparison(_ operation: ComparisonOperator) -> Test {
        { value, interpreter, arguments throws(TemplateError) in
            guard arguments.positional.count == 1, arguments.named.isEmpty else {
                throw TemplateError(.value, "a comparison takes one argument")
            }
            return try interpreter.compare(value, operation, arguments.positional[0])
        }
    }

    private static func remainder(
        _ value: Value, _ divisor: Value, _ interpreter: Interpreter, is expected: Int
    ) throws(TemplateError) -> Bool {
        try interpreter.areEqual(try interpreter.combine(value, .modulo, divisor), .integer(expected))
    }

    private static func isSame(
        _ left: Value, _ right: Value, _ interpreter: Interpreter
    ) throws(TemplateError) -> Bool {
        switch (left, right) {
        case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)): return left === right
        case (.dictionary(let left), .dictionary(let right)): return left === right
        case (.undefined(let left), .undefined(let right)): return left === right
        default:
            guard left.typeName == right.typeName else { return false }
            return try interpreter.areEqual(left, right)
        }
    }
}

extension Value {
    fileprivate var truth: Bool? {
        if case .bool(let value) = self { return value }
        return nil
    }

    fileprivate var isSequence: Bool {
        switch self {
        case .undefined, .string, .list, .tuple, .dictionary, .range: return true
        default: return false
        }
    }

    fileprivate var isIterable: Bool {
        switch self {
        case .undefined, .string, .list, .tuple, .dictionary, .range, .view, .iterator, .loop: return true
        default: return false
        }
    }
}
