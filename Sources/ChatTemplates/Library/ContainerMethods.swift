/// The methods of Python's `dict` that change nothing; Jinja's sandbox hides the others.
enum MappingMethods {
    private static let hidden: Set<String> = ["clear", "pop", "popitem", "setdefault", "update"]

    static func method(_ name: String, of mapping: Mapping) -> Value? {
        let depth = mapping.depth + 1
        func function(_ body: @escaping (Interpreter, Arguments) throws(TemplateError) -> Value) -> Value {
            .function(Function("dict.\(name)", depth: depth, body))
        }
        switch name {
        case "keys": return view(mapping, .keys)
        case "values": return view(mapping, .values)
        case "items": return view(mapping, .items)
        case "get":
            return function { (interpreter, arguments) throws(TemplateError) in
                let bound = try arguments.bound(to: ["key", "default"], of: "get")
                let keyValue = try bound.required(0)
                guard let key = try interpreter.key(of: keyValue) else {
                    throw TemplateError(.value, "\(keyValue.typeName) cannot be a key")
                }
                return mapping.value(of: key) ?? bound[1] ?? .none
            }
        case "copy":
            return function { (_, arguments) throws(TemplateError) in
                _ = try arguments.bound(to: [], of: "copy")
                return .dictionary(mapping)
            }
        case "fromkeys": return GlobalLibrary.dictionaryFromKeys
        case _ where hidden.contains(name): return unsafe(name, "dict")
        default: return nil
        }
    }

    private static func view(_ mapping: Mapping, _ kind: MappingView.Kind) -> Value {
        .function(
            Function("dict.\(kind.rawValue)", depth: mapping.depth + 1) { (_, arguments) throws(TemplateError) in
                _ = try arguments.bound(to: [], of: kind.rawValue)
                return .view(MappingView(mapping: mapping, kind: kind))
            })
    }
}

/// The methods of Python's `list` and `tuple` that change nothing.
enum SequenceMethods {
    private static let hidden: Set<String> = [
        "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove",
    ]

    static func method(_ name: String, of sequence: Items, isList: Bool) -> Value? {
        let depth = sequence.depth + 1
        switch name {
        case "index":
            return .function(
                Function("list.index", depth: depth) { (interpreter, arguments) throws(TemplateError) in
                    let bound = try arguments.bound(to: ["value", "start", "stop"], of: "index")
                    let wanted = try bound.required(0)
                    let range = try SliceBounds(
                        from: bound[1] ?? .none, to: bound[2] ?? .none, by: .none, count: sequence.items.count)
                    for index in range.indices where try interpreter.areEqual(sequence.items[index], wanted) {
                        return .integer(index)
                    }
                    throw TemplateError(.value, "the value is not in the list")
                })
        case "count":
            return .function(
                Function("list.count", depth: depth) { (interpreter, arguments) throws(TemplateError) in
                    let wanted = try arguments.bound(to: ["value"], of: "count").required(0)
                    var count = 0
                    for item in sequence.items where try interpreter.areEqual(item, wanted) { count += 1 }
                    return .integer(count)
                })
        case "copy" where isList:
            return .function(
                Function("list.copy", depth: depth) { (_, arguments) throws(TemplateError) in
                    _ = try arguments.bound(to: [], of: "copy")
                    return .list(sequence)
                })
        case _ where isList && hidden.contains(name): return unsafe(name, "list")
        default: return nil
        }
    }
}

/// The properties of Python's numbers that a template might ask for.
enum NumberMethods {
    static func member(_ name: String, of value: Value) -> Value? {
        switch (name, value) {
        case ("real", .float): return value
        case ("real", _): return value.integerOrBool.map { .integer($0) }
        case ("imag", .float): return .float(0)
        case ("imag", _): return .integer(0)
        case ("is_integer", .float(let number)):
            return .function(
                Function("float.is_integer") { (_, arguments) throws(TemplateError) in
                    _ = try arguments.bound(to: [], of: name)
                    return .bool(number.rounded() == number)
                })
        default: return nil
        }
    }
}

/// What the sandbox shows in place of a method that changes its object.
private func unsafe(_ name: String, _ type: String) -> Value {
    .undefined("\(type).\(name) changes the \(type); templates build new ones instead")
}
