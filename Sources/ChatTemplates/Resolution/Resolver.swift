/// Gives every name of a template its place, scope by scope from outside in.
struct Resolver {
    private var layout: Layout
    private let names: [NameUse]

    /// The layout of a template.
    ///
    /// - Throws: a ``TemplateError`` of kind syntax for a filter or test that Jinja does not have, unless a condition
    ///   guards it.
    static func layout(
        of body: [Statement], names: [NameUse], scopeCount: Int
    ) throws(TemplateError) -> Layout {
        let unused = Place(hops: 0, slot: 0)
        var resolver = Resolver(
            layout: Layout(
                names: Array(repeating: unused, count: names.count),
                scopes: Array(repeating: ScopeLayout(), count: scopeCount)), names: names)
        let function = Symbols.FunctionSlots(depth: 0)
        var collector = SymbolCollector(symbols: Symbols(parent: nil, function: function, prefix: "0"))
        collector.collect(body)
        try resolver.resolve(body, in: collector.symbols, guarded: false)
        resolver.layout.root = ScopeLayout(collector.symbols)
        resolver.layout.root.slotCount = function.count
        return resolver.layout
    }

    private mutating func resolve(
        _ statements: [Statement], in symbols: Symbols, guarded: Bool
    ) throws(TemplateError) {
        for statement in statements {
            switch statement {
            case .text, .leave, .next: break
            case .output(let value, _): try resolve(value, in: symbols, guarded: guarded)
            case .assign(let target, let value, _):
                try resolve(value, in: symbols, guarded: guarded)
                place(target, in: symbols)
            case .capture(let capture): try resolve(capture, in: symbols)
            case .loop(let loop): try resolve(loop, in: symbols, guarded: guarded)
            case .condition(let branches, let otherwise):
                for branch in branches {
                    try resolve(branch.test, in: symbols, guarded: true)
                    try resolve(branch.body, in: symbols, guarded: true)
                }
                try resolve(otherwise, in: symbols, guarded: true)
            case .macro(let macro), .generation(let macro): try resolve(macro, in: symbols)
            case .call(let block):
                try resolve(block.caller, in: symbols)
                try resolve(block.callee, in: symbols, guarded: guarded)
                try resolve(block.arguments, in: symbols, guarded: guarded)
            case .filter(let block):
                var collector = SymbolCollector(symbols: inner(symbols))
                collector.collect(block.filters)
                collector.collect(block.body)
                try resolve(block.filters, in: collector.symbols, guarded: false)
                try resolve(block.body, in: collector.symbols, guarded: false)
                layout.scopes[block.scope] = ScopeLayout(collector.symbols)
            case .with(let block): try resolve(block, in: symbols, guarded: guarded)
            }
        }
    }

    private func inner(_ symbols: Symbols) -> Symbols {
        Symbols(parent: symbols, function: symbols.function, prefix: symbols.prefix + "i")
    }

    private mutating func resolve(_ capture: Capture, in symbols: Symbols) throws(TemplateError) {
        place(capture.target, in: symbols)
        var collector = SymbolCollector(symbols: inner(symbols))
        collector.collect(capture.body)
        collector.collect(capture.filters)
        try resolve(capture.body, in: collector.symbols, guarded: false)
        try resolve(capture.filters, in: collector.symbols, guarded: false)
        layout.scopes[capture.scope] = ScopeLayout(collector.symbols)
    }

    private mutating func resolve(_ loop: Loop, in symbols: Symbols, guarded: Bool) throws(TemplateError) {
        try resolve(loop.sequence, in: symbols, guarded: guarded)
        if let filter = loop.filter {
            // The filter's scope is apart from the body's: what the body assigns does not reach it.
            var collector = SymbolCollector(
                symbols: Symbols(
                    parent: symbols, function: symbols.function, prefix: "\(symbols.prefix)f\(loop.filterScope)"))
            collector.declare(loop.target)
            collector.collect(filter)
            placeFilterTarget(loop.target, in: collector.symbols)
            try resolve(filter, in: collector.symbols, guarded: false)
            layout.scopes[loop.filterScope] = ScopeLayout(collector.symbols)
        }
        var collector = SymbolCollector(symbols: inner(symbols))
        let loopSlot = mentions("loop", in: loop.namesOfBody) ? collector.symbols.declareParameter("loop").index : nil
        collector.declare(loop.target)
        collector.collect(loop.body)
        place(loop.target, in: collector.symbols)
        try resolve(loop.body, in: collector.symbols, guarded: false)
        layout.scopes[loop.bodyScope] = ScopeLayout(collector.symbols)
        layout.scopes[loop.bodyScope].loopSlot = loopSlot

        var others = SymbolCollector(symbols: inner(symbols))
        others.collect(loop.otherwise)
        try resolve(loop.otherwise, in: others.symbols, guarded: false)
        layout.scopes[loop.otherwiseScope] = ScopeLayout(others.symbols)
    }

    private mutating func resolve(_ block: WithBlock, in symbols: Symbols, guarded: Bool) throws(TemplateError) {
        for value in block.values { try resolve(value, in: symbols, guarded: guarded) }
        var collector = SymbolCollector(symbols: inner(symbols))
        for target in block.targets { collector.declare(target) }
        collector.collect(block.body)
        for target in block.targets { place(target, in: collector.symbols) }
        try resolve(block.body, in: collector.symbols, guarded: false)
        layout.scopes[block.scope] = ScopeLayout(collector.symbols)
    }

    private mutating func resolve(_ macro: MacroDefinition, in symbols: Symbols) throws(TemplateError) {
        if let name = macro.name { place(.name(name), in: symbols) }
        let function = Symbols.FunctionSlots(depth: symbols.function.depth + 1)
        var collector = SymbolCollector(
            symbols: Symbols(parent: symbols, function: function, prefix: symbols.prefix + "i"))
        for parameter in macro.parameters { collector.symbols.declareParameter(parameter.name) }
        let special = ["caller", "kwargs", "varargs"].map { name in
            let isDeclared = macro.parameters.contains { $0.name == name }
            return !isDeclared && mentions(name, in: macro.namesOfBody)
                ? collector.symbols.declareParameter(name).index : nil
        }
        for value in macro.defaults { collector.collect(value) }
        collector.collect(macro.body)
        for value in macro.defaults { try resolve(value, in: collector.symbols, guarded: false) }
        try resolve(macro.body, in: collector.symbols, guarded: false)
        var scope = ScopeLayout(collector.symbols)
        scope.parameters = macro.parameters.compactMap { collector.symbols.find($0.name)?.index }
        scope.callerSlot = special[0]
        scope.keywordsSlot = special[1]
        scope.positionalsSlot = special[2]
        scope.slotCount = function.count
        layout.scopes[macro.scope] = scope
    }

    /// Whether a name is used in a body before it is assigned there.
    private func mentions(_ name: String, in range: Range<Int>) -> Bool {
        for use in names[range] where use.name == name && use.purpose != .namespace { return use.purpose == .load }
        return false
    }

    private mutating func place(_ target: AssignmentTarget, in symbols: Symbols) {
        switch target {
        case .name(let reference), .attribute(let reference, _): place(reference, in: symbols)
        case .tuple(let targets): for target in targets { place(target, in: symbols) }
        }
    }

    private mutating func placeFilterTarget(_ target: AssignmentTarget, in symbols: Symbols) {
        switch target {
        case .name(let reference), .attribute(let reference, _):
            if let slot = symbols.find(reference.name) {
                layout.filterTargets[reference.identifier] = symbols.place(of: slot)
            }
        case .tuple(let targets): for target in targets { placeFilterTarget(target, in: symbols) }
        }
    }

    private mutating func place(_ reference: NameReference, in symbols: Symbols) {
        if let slot = symbols.find(reference.name) { layout.names[reference.identifier] = symbols.place(of: slot) }
    }
}

extension Resolver {
    private mutating func resolve(
        _ expression: Expression, in symbols: Symbols, guarded: Bool
    ) throws(TemplateError) {
        switch expression {
        case .none, .bool, .integer, .float, .string: break
        case .name(let reference): place(reference, in: symbols)
        case .list(let items), .tuple(let items), .concatenation(let items), .and(let items), .or(let items):
            for item in items { try resolve(item, in: symbols, guarded: guarded) }
        case .dictionary(let entries):
            for entry in entries {
                try resolve(entry.key, in: symbols, guarded: guarded)
                try resolve(entry.value, in: symbols, guarded: guarded)
            }
        case .suffixed(let base, let suffixes):
            try resolve(base, in: symbols, guarded: guarded)
            try resolve(suffixes, in: symbols, guarded: guarded)
        case .sign(_, let operand, _), .not(let operand): try resolve(operand, in: symbols, guarded: guarded)
        case .arithmetic(let first, let steps):
            try resolve(first, in: symbols, guarded: guarded)
            for step in steps { try resolve(step.operand, in: symbols, guarded: guarded) }
        case .comparison(let first, let steps):
            try resolve(first, in: symbols, guarded: guarded)
            for step in steps { try resolve(step.operand, in: symbols, guarded: guarded) }
        case .conditional(let test, let then, let otherwise, _):
            try resolve(test, in: symbols, guarded: true)
            try resolve(then, in: symbols, guarded: true)
            if let otherwise { try resolve(otherwise, in: symbols, guarded: true) }
        }
    }

    private mutating func resolve(
        _ suffixes: [Suffix], in symbols: Symbols, guarded: Bool
    ) throws(TemplateError) {
        for suffix in suffixes {
            switch suffix.kind {
            case .attribute: break
            case .item(let index): try resolve(index, in: symbols, guarded: guarded)
            case .slice(let from, let to, let by):
                for bound in [from, to, by] { if let bound { try resolve(bound, in: symbols, guarded: guarded) } }
            case .call(let arguments): try resolve(arguments, in: symbols, guarded: guarded)
            case .filter(let name, let arguments):
                guard guarded || FilterLibrary.isKnown(name) else {
                    throw TemplateError(.syntax, "no filter named \"\(name.prefix(40))\"", at: suffix.position)
                }
                try resolve(arguments, in: symbols, guarded: guarded)
            case .test(let name, let arguments, _):
                guard guarded || TestLibrary.isKnown(name) else {
                    throw TemplateError(.syntax, "no test named \"\(name.prefix(40))\"", at: suffix.position)
                }
                try resolve(arguments, in: symbols, guarded: guarded)
            }
        }
    }

    private mutating func resolve(
        _ arguments: ArgumentList, in symbols: Symbols, guarded: Bool
    ) throws(TemplateError) {
        for argument in arguments.positional { try resolve(argument, in: symbols, guarded: guarded) }
        for argument in arguments.named { try resolve(argument.value, in: symbols, guarded: guarded) }
        if let spread = arguments.spread { try resolve(spread, in: symbols, guarded: guarded) }
        if let spread = arguments.namedSpread { try resolve(spread, in: symbols, guarded: guarded) }
    }
}

extension ScopeLayout {
    /// What a collected scope does on entry.
    init(_ symbols: Symbols) {
        self.init()
        for entry in symbols.entries.values.sorted(by: { $0.slot.index < $1.slot.index }) {
            let slot = entry.slot
            owned.append(slot.index)
            switch entry.load {
            case .parameter: break
            case .variable(let name): loads.append(.variable(slot: slot.index, name: name))
            case .copy(let outer): loads.append(.copy(slot: slot.index, symbols.place(of: outer)))
            case .empty: loads.append(.empty(slot: slot.index))
            }
        }
    }
}
