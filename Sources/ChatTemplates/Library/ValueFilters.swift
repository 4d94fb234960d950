/// Filters that look at a value or pick one out.
enum ValueFilters {
    @Sendable static func fallback(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["default_value", "boolean"], of: "default")
        let other = bound[0] ?? .string("")
        if value.isUndefined { return other }
        guard try bound.isTrue(1, default: false, interpreter) else { return value }
        return try interpreter.isTrue(value) ? value : other
    }

    /// An attribute without the item of the same name.
    @Sendable static func attribute(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["name"], of: "attr")
        let name = try bound.text(0)
        if case .dictionary(let mapping) = value {
            return MappingMethods.method(name.string, of: mapping)
                ?? .undefined("dict has no attribute \"\(name.string.prefix(80))\"")
        }
        return try interpreter.attribute(name, of: value)
    }

    @Sendable static func length(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        _ = try arguments.bound(to: [], of: "length")
        if case .loop(let loop) = value { return .integer(try loop.count(interpreter)) }
        guard let count = interpreter.knownCount(of: value) else {
            throw TemplateError(.value, "\(value.typeName) has no length")
        }
        return .integer(count)
    }

    @Sendable static func first(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        _ = try arguments.bound(to: [], of: "first")
        return try interpreter.iterator(over: value).next(interpreter)
            ?? .undefined("there is no first item, the sequence is empty")
    }

    @Sendable static func last(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        _ = try arguments.bound(to: [], of: "last")
        switch value {
        case .list(let items), .tuple(let items):
            if let item = items.items.last { return item }
        case .string(let text):
            if let scalar = text.scalars.last { return .string(Text([scalar])) }
        case .dictionary(let mapping):
            if let key = mapping.keys.last { return key }
        case .view(let view):
            if view.mapping.count > 0 { return view.element(view.mapping.count - 1) }
        case .range(let range):
            if range.count > 0 { return .integer(range[range.count - 1]) }
        case .undefined: break
        default: throw TemplateError(.value, "\(value.typeName) has no last item; add \"| list\"")
        }
        return .undefined("there is no last item, the sequence is empty")
    }

    @Sendable static func minimum(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        try extreme(value, interpreter, arguments, "min") { (new, old) throws(TemplateError) in
            try interpreter.isLess(new, old)
        }
    }

    @Sendable static func maximum(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        try extreme(value, interpreter, arguments, "max") { (new, old) throws(TemplateError) in
            try interpreter.isLess(old, new)
        }
    }

    private static func extreme(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments, _ name: String,
        _ isBetter: (Value, Value) throws(TemplateError) -> Bool
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["case_sensitive", "attribute"], of: name)
        let key = try SortKey(bound, attribute: 1, caseSensitive: 0, interpreter)
        let iterator = try interpreter.iterator(over: value)
        guard var best = try iterator.next(interpreter) else {
            return .undefined("there is no item to choose, the sequence is empty")
        }
        var bestKey = try key.value(of: best, interpreter)
        while let item = try iterator.next(interpreter) {
            let itemKey = try key.value(of: item, interpreter)
            if try isBetter(itemKey, bestKey) { (best, bestKey) = (item, itemKey) }
        }
        return best
    }

    @Sendable static func items(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        _ = try arguments.bound(to: [], of: "items")
        switch value {
        case .undefined: return .iterator(ItemIterator(count: 0, depth: 1) { _ in .none })
        case .dictionary(let mapping):
            let view = MappingView(mapping: mapping, kind: .items)
            return .iterator(ItemIterator(count: mapping.count, depth: mapping.depth + 1) { view.element($0) })
        default:
            return .iterator(
                ItemIterator(depth: 1) { (_) throws(TemplateError) in
                    throw TemplateError(.value, "items needs a dictionary, not \(value.typeName)")
                })
        }
    }
}

/// What lists are sorted, grouped and compared by.
struct SortKey {
    private let path: AttributePath
    private let ignoresCase: Bool

    init(
        _ bound: Arguments.Bound, attribute: Int, caseSensitive: Int, _ interpreter: Interpreter
    ) throws(TemplateError) {
        path = try AttributePath(bound[attribute], interpreter)
        ignoresCase = try !bound.isTrue(caseSensitive, default: false, interpreter)
    }

    init(path: AttributePath, ignoresCase: Bool) {
        self.path = path
        self.ignoresCase = ignoresCase
    }

    func value(
        of item: Value, _ interpreter: Interpreter, default fallback: Value? = nil
    ) throws(TemplateError) -> Value {
        let value = try path.value(in: item, interpreter, default: fallback)
        guard ignoresCase, case .string(let text) = value else { return value }
        try interpreter.check(characters: text.count)
        return .string(text.lowercased)
    }
}
