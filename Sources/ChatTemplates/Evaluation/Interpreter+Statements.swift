extension Interpreter {
    func execute(_ statements: [Statement]) throws(TemplateError) -> Flow {
        try descend()
        defer { ascend() }
        for statement in statements {
            try spend(1)
            let flow = try execute(statement)
            guard flow == .normal else { return flow }
        }
        return .normal
    }

    private func execute(_ statement: Statement) throws(TemplateError) -> Flow {
        switch statement {
        case .text(let text): try write(text)
        case .output(let value, let place): try output(value, at: place)
        case .assign(let target, let value, let place): try assign(target, value, at: place)
        case .capture(let block): return try capture(block)
        case .loop(let loop): return try run(loop)
        case .condition(let branches, let otherwise): return try choose(branches, otherwise)
        case .macro(let macro): define(macro)
        case .call(let block): try run(block)
        case .filter(let block): return try run(block)
        case .with(let block): return try run(block)
        case .generation(let body): try generate(body)
        case .leave: return .leave
        case .next: return .next
        }
        return .normal
    }

    @inline(never)
    private func output(_ expression: Expression, at place: SourcePosition) throws(TemplateError) {
        let value = try evaluate(expression)
        position = place
        try write(try string(value))
    }

    @inline(never)
    private func assign(
        _ target: AssignmentTarget, _ expression: Expression, at place: SourcePosition
    ) throws(TemplateError) {
        let value = try evaluate(expression)
        position = place
        try assign(value, to: target)
    }

    /// Gives a value to what stands left of `=`.
    func assign(_ value: Value, to target: AssignmentTarget, places: [Int: Place]? = nil) throws(TemplateError) {
        switch target {
        case .name(let reference):
            let place = places?[reference.identifier] ?? program.layout.names[reference.identifier]
            activation.out(place.hops).slots[place.slot] = value
        case .attribute(let reference, let name):
            guard case .namespace(let namespace) = load(reference) else {
                throw TemplateError(.value, "\"\(reference.name)\" is no namespace: its attributes cannot be set")
            }
            try set(name, of: namespace, to: value)
        case .tuple(let targets):
            let items = try unpack(value, count: targets.count)
            for (target, item) in zip(targets, items) { try assign(item, to: target, places: places) }
        }
    }

    func set(_ name: Text, of namespace: Namespace, to value: Value) throws(TemplateError) {
        guard name.scalars.first != "_" else {
            throw TemplateError(.value, "attributes of a namespace do not begin with an underscore")
        }
        namespace.attributes.set(name, to: value)
    }

    private func unpack(_ value: Value, count: Int) throws(TemplateError) -> [Value] {
        let iterator = try iterator(over: value)
        var items: [Value] = []
        while items.count <= count, let item = try iterator.next(self) { items.append(item) }
        guard items.count == count else {
            throw TemplateError(
                .value, "\(items.count > count ? "more" : "fewer") than \(count) values for \(count) variables")
        }
        return items
    }

    @inline(never)
    private func choose(_ branches: [Branch], _ otherwise: [Statement]) throws(TemplateError) -> Flow {
        for branch in branches where try isTrue(try evaluate(branch.test)) { return try execute(branch.body) }
        return otherwise.isEmpty ? .normal : try execute(otherwise)
    }

    @inline(never)
    private func capture(_ block: Capture) throws(TemplateError) -> Flow {
        let scope = layout(block.scope)
        try enter(scope)
        let (text, flow) = try capture(block.body)
        guard flow == .normal else { return flow }
        let value = try apply(block.filters, to: .string(text))
        position = block.position
        try assign(value, to: block.target)
        leave(scope)
        return .normal
    }

    @inline(never)
    private func run(_ block: FilterBlock) throws(TemplateError) -> Flow {
        let scope = layout(block.scope)
        try enter(scope)
        let (text, flow) = try capture(block.body)
        guard flow == .normal else { return flow }
        let value = try apply(block.filters, to: .string(text))
        position = block.position
        try write(try string(value))
        leave(scope)
        return .normal
    }

    @inline(never)
    private func run(_ block: WithBlock) throws(TemplateError) -> Flow {
        var values: [Value] = []
        for value in block.values { values.append(try evaluate(value)) }
        let scope = layout(block.scope)
        try enter(scope)
        position = block.position
        for (target, value) in zip(block.targets, values) { try assign(value, to: target) }
        let flow = try execute(block.body)
        leave(scope)
        return flow
    }

    private func define(_ macro: MacroDefinition) {
        guard let name = macro.name else { return }
        keepActivation()
        let place = program.layout.names[name.identifier]
        activation.out(place.hops).slots[place.slot] = .function(Function(macro: macro, in: activation))
    }

    @inline(never)
    private func run(_ block: CallBlock) throws(TemplateError) {
        keepActivation()
        let caller = Function(macro: block.caller, in: activation)
        let callee = try evaluate(block.callee)
        var arguments = try evaluate(block.arguments)
        position = block.position
        arguments.named.append(("caller", .function(caller)))
        try write(try string(try call(callee, arguments)))
    }

    @inline(never)
    private func generate(_ body: MacroDefinition) throws(TemplateError) {
        try writeGenerated(try run(body, in: activation, Arguments()))
    }
}
