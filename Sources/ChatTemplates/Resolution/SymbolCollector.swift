/// Collects the names that the statements of one scope mention; scopes inside it are left for later.
struct SymbolCollector {
    var symbols: Symbols

    mutating func collect(_ statements: [Statement]) {
        for statement in statements { collect(statement) }
    }

    private mutating func collect(_ statement: Statement) {
        switch statement {
        case .text, .generation, .leave, .next: break
        case .output(let value, _): collect(value)
        case .assign(let target, let value, _):
            collect(value)
            store(target)
        case .capture(let capture): store(capture.target)
        case .loop(let loop): collect(loop.sequence)
        case .condition(let branches, let otherwise): condition(branches, otherwise)
        case .macro(let macro): if let name = macro.name { symbols.store(name.name) }
        case .call(let block):
            collect(block.callee)
            collect(block.arguments)
        case .filter(let block): collect(block.filters)
        case .with(let block): for value in block.values { collect(value) }
        }
    }

    /// `if` and its `elif`s: each branch starts from the same scope.
    private mutating func condition(_ branches: [Branch], _ otherwise: [Statement]) {
        guard let first = branches.first else { return }
        collect(first.test)
        symbols.beginBranch()
        collect(first.body)
        let body = symbols.endBranch()
        symbols.beginBranch()
        for branch in branches.dropFirst() {
            collect(branch.test)
            symbols.beginBranch()
            collect(branch.body)
            let taken = symbols.endBranch()
            symbols.merge([taken])
        }
        let others = symbols.endBranch()
        symbols.beginBranch()
        collect(otherwise)
        let last = symbols.endBranch()
        symbols.merge([body, others, last])
    }

    mutating func store(_ target: AssignmentTarget) {
        switch target {
        case .name(let reference): symbols.store(reference.name)
        case .attribute(let reference, _): symbols.load(reference.name)
        case .tuple(let targets): for target in targets { store(target) }
        }
    }

    mutating func declare(_ target: AssignmentTarget) {
        switch target {
        case .name(let reference): symbols.declareParameter(reference.name)
        case .attribute: break
        case .tuple(let targets): for target in targets { declare(target) }
        }
    }

    mutating func collect(_ expression: Expression) {
        switch expression {
        case .none, .bool, .integer, .float, .string: break
        case .name(let reference): symbols.load(reference.name)
        case .list(let items), .tuple(let items), .concatenation(let items), .and(let items), .or(let items):
            for item in items { collect(item) }
        case .dictionary(let entries):
            for entry in entries {
                collect(entry.key)
                collect(entry.value)
            }
        case .suffixed(let base, let suffixes):
            collect(base)
            collect(suffixes)
        case .sign(_, let operand, _), .not(let operand): collect(operand)
        case .arithmetic(let first, let steps):
            collect(first)
            for step in steps { collect(step.operand) }
        case .comparison(let first, let steps):
            collect(first)
            for step in steps { collect(step.operand) }
        case .conditional(let test, let then, let otherwise, _):
            collect(test)
            collect(then)
            if let otherwise { collect(otherwise) }
        }
    }

    mutating func collect(_ suffixes: [Suffix]) {
        for suffix in suffixes {
            switch suffix.kind {
            case .attribute: break
            case .item(let index): collect(index)
            case .slice(let from, let to, let by): for bound in [from, to, by] { if let bound { collect(bound) } }
            case .call(let arguments), .filter(_, let arguments), .test(_, let arguments, _): collect(arguments)
            }
        }
    }

    mutating func collect(_ arguments: ArgumentList) {
        for argument in arguments.positional { collect(argument) }
        for argument in arguments.named { collect(argument.value) }
        if let spread = arguments.spread { collect(spread) }
        if let spread = arguments.namedSpread { collect(spread) }
    }
}
