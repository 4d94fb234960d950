/// The functions that every template can call.
enum GlobalLibrary {
    static func value(of name: String) -> Value? {
        switch name {
        case "range": return .function(Function("range", range))
        case "dict": return .function(Function("dict", dictionary))
        case "namespace": return .function(Function("namespace", namespace))
        case "raise_exception": return .function(Function("raise_exception", raise))
        case "strftime_now": return .function(Function("strftime_now", now))
        default: return nil
        }
    }

    @Sendable private static func range(
        _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        guard arguments.named.isEmpty, (1...3).contains(arguments.positional.count) else {
            throw TemplateError(.value, "range takes one to three integers")
        }
        var numbers: [Int] = []
        for value in arguments.positional {
            guard let number = value.index else {
                throw interpreter.unusable(value, "range takes integers, not \(value.typeName)")
            }
            numbers.append(number)
        }
        let start = numbers.count == 1 ? 0 : numbers[0]
        let end = numbers.count == 1 ? numbers[0] : numbers[1]
        let step = numbers.count == 3 ? numbers[2] : 1
        guard step != 0 else { throw TemplateError(.value, "the step of range is zero") }
        let (distance, overflow) =
            step > 0 ? end.subtractingReportingOverflow(start) : start.subtractingReportingOverflow(end)
        if !overflow, distance <= 0 { return .range(Progression(start: start, step: step, count: 0, end: end)) }
        let count = overflow ? UInt.max : (UInt(distance) - 1) / step.magnitude + 1
        guard count <= TemplateLimits.range else {
            throw TemplateError(.limit, "range of more than \(TemplateLimits.range) numbers")
        }
        return .range(Progression(start: start, step: step, count: Int(count), end: end))
    }

    @Sendable private static func dictionary(
        _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        .dictionary(try mapping(interpreter, arguments, "dict"))
    }

    /// A new dictionary of a dictionary or of pairs, and of named arguments.
    private static func mapping(
        _ interpreter: Interpreter, _ arguments: Arguments, _ name: String
    ) throws(TemplateError) -> Mapping {
        guard arguments.positional.count <= 1 else {
            throw TemplateError(.value, "\(name) takes at most one dictionary")
        }
        let mapping = Mapping()
        func set(_ keyValue: Value, _ value: Value) throws(TemplateError) {
            guard let key = try interpreter.key(of: keyValue) else {
                throw TemplateError(.value, "\(keyValue.typeName) cannot be a key")
            }
            mapping.set(keyValue, key: key, to: value)
            try interpreter.check(elements: mapping.count)
        }
        if let source = arguments.positional.first {
            if case .dictionary(let other) = source {
                for (key, value) in zip(other.keys, other.values) { try set(key, value) }
            } else {
                let iterator = try interpreter.iterator(over: source)
                while let pair = try iterator.next(interpreter) {
                    let items = try interpreter.items(of: pair)
                    guard items.count == 2 else { throw TemplateError(.value, "\(name) takes pairs of key and value") }
                    try set(items[0], items[1])
                }
            }
        }
        for (name, value) in arguments.named { try set(.string(name), value) }
        return mapping
    }

    /// `dict.fromkeys`.
    static var dictionaryFromKeys: Value {
        .function(
            Function("dict.fromkeys") { (interpreter, arguments) throws(TemplateError) in
                let bound = try arguments.bound(to: ["iterable", "value"], of: "fromkeys")
                let mapping = Mapping()
                for keyValue in try interpreter.items(of: try bound.required(0)) {
                    guard let key = try interpreter.key(of: keyValue) else {
                        throw TemplateError(.value, "\(keyValue.typeName) cannot be a key")
                    }
                    mapping.set(keyValue, key: key, to: bound[1] ?? .none)
                }
                return .dictionary(mapping)
            })
    }

    @Sendable private static func namespace(
        _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let namespace = Namespace()
        let attributes = try mapping(interpreter, arguments, "namespace")
        for (keyValue, value) in zip(attributes.keys, attributes.values) {
            guard case .string(let name) = keyValue else { throw TemplateError(.value, "attributes have names") }
            try interpreter.set(name, of: namespace, to: value)
        }
        interpreter.keep(namespace)
        return .namespace(namespace)
    }

    @Sendable private static func raise(
        _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let message = try arguments.bound(to: ["message"], of: "raise_exception").required(0)
        throw TemplateError(.raised, String(try interpreter.string(message).string.prefix(1000)))
    }

    @Sendable private static func now(
        _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let format = try arguments.bound(to: ["format"], of: "strftime_now").text(0)
        guard let time = interpreter.time else {
            throw TemplateError(.input, "the template asks for today's date: give the chat a time")
        }
        try interpreter.check(characters: format.count * 10)
        return .string(try time.formatted(format))
    }
}
