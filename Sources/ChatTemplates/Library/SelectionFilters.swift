/// `map`, `select`, `reject` and the like: they work item by item, when asked.
enum SelectionFilters {
    @Sendable static func map(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        lazily(value) { (interpreter) throws(TemplateError) in
            if arguments.positional.isEmpty, arguments.named.contains(where: { $0.name == "attribute" }) {
                let bound = try arguments.bound(to: ["attribute", "default"], of: "map")
                let path = try AttributePath(bound[0], interpreter)
                var fallback = bound[1]
                if case .some(.none) = fallback { fallback = nil }
                return { (item, interpreter) throws(TemplateError) in
                    try path.value(in: item, interpreter, default: fallback)
                }
            }
            guard let first = arguments.positional.first else {
                throw TemplateError(.value, "map needs a filter or an attribute")
            }
            guard case .string(let name) = first else {
                throw TemplateError(.value, "the filter of map is a name, not \(first.typeName)")
            }
            let filter = name.string
            let rest = Arguments(positional: Array(arguments.positional.dropFirst()), named: arguments.named)
            return { (item, interpreter) throws(TemplateError) in
                try FilterLibrary.apply(filter, to: item, rest, interpreter)
            }
        }
    }

    @Sendable static func select(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        choose(value, arguments, keeps: true, byAttribute: false)
    }

    @Sendable static func reject(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        choose(value, arguments, keeps: false, byAttribute: false)
    }

    @Sendable static func selectAttribute(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        choose(value, arguments, keeps: true, byAttribute: true)
    }

    @Sendable static func rejectAttribute(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        choose(value, arguments, keeps: false, byAttribute: true)
    }

    private typealias Transform = (Value, Interpreter) throws(TemplateError) -> Value?

    private static func choose(_ value: Value, _ arguments: Arguments, keeps: Bool, byAttribute: Bool) -> Value {
        lazily(value) { (interpreter) throws(TemplateError) in
            var positional = arguments.positional[...]
            var path = try AttributePath(nil, interpreter)
            if byAttribute {
                guard let attribute = positional.popFirst() else {
                    throw TemplateError(.value, "the name of an attribute is missing")
                }
                path = try AttributePath(attribute, interpreter)
            }
            guard let test = positional.popFirst() else {
                return { (item, interpreter) throws(TemplateError) in
                    try interpreter.isTrue(try path.value(in: item, interpreter)) == keeps ? item : nil
                }
            }
            guard case .string(let name) = test else {
                throw TemplateError(.value, "a test is chosen by its name, not \(test.typeName)")
            }
            let testName = name.string
            let rest = Arguments(positional: Array(positional), named: arguments.named)
            return { (item, interpreter) throws(TemplateError) in
                let subject = try path.value(in: item, interpreter)
                return try TestLibrary.holds(testName, of: subject, rest, interpreter) == keeps ? item : nil
            }
        }
    }

    /// Items for which the transform yields something.
    ///
    /// What counts as false is empty before it is looked at.
    private static func lazily(
        _ value: Value, _ prepare: @escaping (Interpreter) throws(TemplateError) -> Transform
    ) -> Value {
        var prepared: (source: ItemIterator, transform: Transform)?
        return .iterator(
            ItemIterator(depth: value.depth + 1) { (interpreter) throws(TemplateError) in
                if prepared == nil {
                    guard try interpreter.isTrue(value) else { return nil }
                    let transform = try prepare(interpreter)
                    prepared = (try interpreter.iterator(over: value), transform)
                }
                guard let (source, transform) = prepared else { return nil }
                while let item = try source.next(interpreter) {
                    if let result = try transform(item, interpreter) { return result }
                }
                return nil
            })
    }
}
