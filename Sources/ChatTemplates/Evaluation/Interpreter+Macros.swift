extension Interpreter {
    /// Calls a value.
    func call(_ callee: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        switch callee {
        case .function(let function):
            switch function.body {
            case .native(let body): return try body(self, arguments)
            case .macro(let macro, let activation): return .string(try run(macro, in: activation, arguments))
            }
        case .undefined(let undefined): throw TemplateError(.undefined, undefined.message)
        case .loop: throw TemplateError(.unsupported, "recursive loops are not supported")
        default: throw TemplateError(.value, "\(callee.typeName) cannot be called")
        }
    }

    /// Runs a macro in the scope where it was written; the result is what it writes.
    @inline(never)
    func run(
        _ macro: MacroDefinition, in outer: Activation, _ arguments: Arguments
    ) throws(TemplateError) -> Text {
        // A call takes several frames more than it has nodes.
        try descend(5)
        defer { ascend(5) }
        let scope = layout(macro.scope)
        try spend(scope.slotCount + 1)
        let inner = Activation(slotCount: scope.slotCount, outer: outer)
        try bind(arguments, to: macro, scope, in: inner)
        let caller = activation
        activation = inner
        defer { activation = caller }
        try enter(scope)
        let firstDefault = macro.parameters.count - macro.defaults.count
        for (index, slot) in scope.parameters.enumerated() where inner.slots[slot] == nil {
            if index >= firstDefault {
                inner.slots[slot] = try evaluate(macro.defaults[index - firstDefault])
            } else {
                inner.slots[slot] = .undefined("parameter \"\(macro.parameters[index].name)\" was not provided")
            }
        }
        return try capture(macro.body).text
    }

    private func bind(
        _ arguments: Arguments, to macro: MacroDefinition, _ scope: ScopeLayout, in activation: Activation
    ) throws(TemplateError) {
        let name = macro.name.map { "macro \"\($0.name)\"" } ?? "the block of a call"
        let count = min(arguments.positional.count, scope.parameters.count)
        for index in 0..<count { activation.slots[scope.parameters[index]] = arguments.positional[index] }
        var named = arguments.named
        for (index, parameter) in macro.parameters.enumerated().dropFirst(count) {
            let parameterName = Text(parameter.name)
            guard let given = named.firstIndex(where: { $0.name == parameterName }) else { continue }
            activation.slots[scope.parameters[index]] = named.remove(at: given).value
        }
        if let slot = scope.callerSlot {
            let given = named.firstIndex { $0.name == "caller" }
            let caller = given.map { named.remove(at: $0).value }
            if let caller, case .none = caller {
                activation.slots[slot] = .undefined("no caller defined")
            } else {
                activation.slots[slot] = caller ?? .undefined("no caller defined")
            }
        }
        if let slot = scope.keywordsSlot {
            let mapping = Mapping()
            for (name, value) in named { mapping.set(name, to: value) }
            activation.slots[slot] = .dictionary(mapping)
        } else if let unknown = named.first {
            throw TemplateError(.value, "\(name) has no argument \"\(unknown.name.string.prefix(40))\"")
        }
        if let slot = scope.positionalsSlot {
            activation.slots[slot] = .tuple(Array(arguments.positional.dropFirst(scope.parameters.count)))
        } else if arguments.positional.count > scope.parameters.count {
            throw TemplateError(
                .value, "\(name) takes at most \(scope.parameters.count) arguments, not \(arguments.positional.count)")
        }
    }

    /// The values of the arguments of a call.
    func evaluate(_ list: ArgumentList) throws(TemplateError) -> Arguments {
        var arguments = Arguments()
        for argument in list.positional { arguments.positional.append(try evaluate(argument)) }
        if let spread = list.spread { arguments.positional += try items(of: try evaluate(spread)) }
        for (name, value) in list.named { arguments.named.append((Text(name), try evaluate(value))) }
        if let spread = list.namedSpread {
            guard case .dictionary(let mapping) = try evaluate(spread) else {
                throw TemplateError(.value, "only a dictionary can be spread over named arguments")
            }
            try spend(elements: mapping.count)
            guard mapping.count <= TemplateLimits.parameters else {
                throw TemplateError(.limit, "more than \(TemplateLimits.parameters) named arguments")
            }
            for (key, value) in zip(mapping.keys, mapping.values) {
                guard case .string(let name) = key, !arguments.named.contains(where: { $0.name == name }) else {
                    throw TemplateError(.value, "named arguments need names, each once")
                }
                arguments.named.append((name, value))
            }
        }
        return arguments
    }
}
