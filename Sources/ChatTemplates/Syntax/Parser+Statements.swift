extension Parser {
    /// Statements up to a tag with one of these names, which stays the current token; up to the end if none is given.
    mutating func statements(until ends: [String]) throws(TemplateError) -> [Statement] {
        try enter(2)
        var body: [Statement] = []
        while true {
            let token = current
            switch token.kind {
            case .data(let text):
                body.append(.text(text))
                advance()
            case .variableBegin:
                advance()
                body.append(.output(try tupleOrExpression(), token.position))
                try expect(.variableEnd, called: "\"}}\"")
            case .blockBegin:
                advance()
                if case .name(let name) = current.kind, ends.contains(name) {
                    leave(2)
                    return body
                }
                body.append(contentsOf: try statement())
                try expect(.blockEnd, called: "\"%}\"")
            case .end where ends.isEmpty:
                leave(2)
                return body
            default:
                throw unexpected(ends.isEmpty ? "a tag" : "{% \(ends.joined(separator: " %} or {% ")) %}")
            }
        }
    }

    /// The body of a block whose opening tag ends here; the name of the closing tag is the current token.
    private mutating func body(until ends: String...) throws(TemplateError) -> [Statement] {
        _ = take(.colon)
        try expect(.blockEnd, called: "\"%}\"")
        return try statements(until: ends)
    }

    private mutating func closedBody(_ end: String) throws(TemplateError) -> [Statement] {
        let statements = try body(until: end)
        advance()
        return statements
    }

    private mutating func statement() throws(TemplateError) -> [Statement] {
        let position = current.position
        guard case .name(let tag) = current.kind else { throw unexpected("the name of a tag") }
        advance()
        switch tag {
        case "for": return [.loop(try loop(at: position))]
        case "if": return [try condition()]
        case "set": return [try set(at: position)]
        case "macro": return [.macro(try macro(at: position))]
        case "call": return [.call(try callBlock(at: position))]
        case "filter": return [.filter(try filterBlock(at: position))]
        case "with": return [.with(try with(at: position))]
        case "print": return try printed(at: position)
        case "break", "continue":
            guard openLoops > 0 else { throw fault("{% \(tag) %} outside a loop", at: position) }
            return [tag == "break" ? .leave : .next]
        case "generation": return [.generation(try definition(name: nil, [], [], end: "endgeneration", at: position))]
        case "block", "extends", "include", "import", "from", "autoescape":
            throw TemplateError(.unsupported, "chat templates do not use {% \(tag) %}", at: position)
        default: throw fault("unknown tag \"\(tag.prefix(40))\"", at: position)
        }
    }

    /// The rest of a macro or of a block that becomes one; loops around it cannot be left from inside.
    private mutating func definition(
        name: NameReference?, _ parameters: [NameReference], _ defaults: [Expression], end: String,
        at position: SourcePosition
    ) throws(TemplateError) -> MacroDefinition {
        let loops = openLoops
        openLoops = 0
        let first = names.count
        let body = try closedBody(end)
        openLoops = loops
        return MacroDefinition(
            name: name, parameters: parameters, defaults: defaults, body: body, position: position,
            namesOfBody: first..<names.count, scope: scope())
    }

    private mutating func loop(at position: SourcePosition) throws(TemplateError) -> Loop {
        let firstName = names.count
        let target = try target(until: "in", allowsAttributes: false)
        guard take(name: "in") else { throw unexpected("\"in\"") }
        let sequence = try tupleOrExpression(allowsCondition: false, end: "recursive")
        let filter = take(name: "if") ? try expression() : nil
        if isName("recursive") {
            throw TemplateError(.unsupported, "recursive loops are not supported", at: current.position)
        }
        let firstOfBody = names.count
        openLoops += 1
        let body = try body(until: "endfor", "else")
        openLoops -= 1
        let namesOfBody = firstOfBody..<names.count
        var otherwise: [Statement] = []
        if take(name: "else") { otherwise = try closedBody("endfor") } else { advance() }
        guard !names[firstName...].contains(NameUse(name: "loop", purpose: .store)) else {
            throw fault("the variable \"loop\" cannot be assigned to inside a loop", at: position)
        }
        return Loop(
            target: target, sequence: sequence, filter: filter, body: body, otherwise: otherwise,
            position: position, namesOfBody: namesOfBody, scopes: (scope(), scope(), scope()))
    }

    private mutating func condition() throws(TemplateError) -> Statement {
        var branches: [Branch] = []
        while true {
            let test = try tupleOrExpression(allowsCondition: false)
            branches.append(Branch(test: test, body: try body(until: "elif", "else", "endif")))
            if take(name: "elif") { continue }
            if take(name: "else") { return .condition(branches, otherwise: try closedBody("endif")) }
            advance()
            return .condition(branches, otherwise: [])
        }
    }

    private mutating func set(at position: SourcePosition) throws(TemplateError) -> Statement {
        let target = try target(until: nil, allowsAttributes: true)
        if take(.assign) { return .assign(target, try tupleOrExpression(), position) }
        let filters = try filters()
        let body = try closedBody("endset")
        return .capture(
            Capture(target: target, filters: filters, body: body, position: position, scope: scope()))
    }

    private mutating func macro(at position: SourcePosition) throws(TemplateError) -> MacroDefinition {
        let namePosition = current.position
        let name = reference(try assignableName(), .store, at: namePosition)
        let (parameters, defaults) = try signature()
        return try definition(name: name, parameters, defaults, end: "endmacro", at: position)
    }

    private mutating func signature() throws(TemplateError) -> ([NameReference], [Expression]) {
        var parameters: [NameReference] = []
        var defaults: [Expression] = []
        try expect(.leftParenthesis)
        while !isSymbol(.rightParenthesis) {
            if !parameters.isEmpty { try expect(.comma) }
            let position = current.position
            let name = try assignableName()
            guard parameters.count < TemplateLimits.parameters else {
                throw TemplateError(.limit, "more than \(TemplateLimits.parameters) parameters", at: position)
            }
            guard !parameters.contains(where: { $0.name == name }) else {
                throw fault("the parameter \"\(name)\" twice", at: position)
            }
            parameters.append(reference(name, .parameter, at: position))
            if take(.assign) {
                defaults.append(try expression())
            } else if !defaults.isEmpty {
                throw fault("a parameter without a default behind one with a default", at: position)
            }
        }
        try expect(.rightParenthesis)
        return (parameters, defaults)
    }

    private mutating func callBlock(at position: SourcePosition) throws(TemplateError) -> CallBlock {
        let (parameters, defaults) = isSymbol(.leftParenthesis) ? try signature() : ([], [])
        let callPosition = current.position
        guard case .suffixed(let base, var suffixes) = try expression(), let last = suffixes.popLast(),
            case .call(let arguments) = last.kind
        else { throw fault("expected a call", at: callPosition) }
        let caller = try definition(name: nil, parameters, defaults, end: "endcall", at: position)
        let callee = suffixes.isEmpty ? base : .suffixed(base, suffixes)
        return CallBlock(callee: callee, arguments: arguments, caller: caller, position: last.position)
    }

    private mutating func filterBlock(at position: SourcePosition) throws(TemplateError) -> FilterBlock {
        let first = try filter()
        let filters = [first] + (try filters())
        let body = try closedBody("endfilter")
        return FilterBlock(filters: filters, body: body, position: position, scope: scope())
    }

    private mutating func with(at position: SourcePosition) throws(TemplateError) -> WithBlock {
        var targets: [AssignmentTarget] = []
        var values: [Expression] = []
        while current.kind != .blockEnd {
            if !targets.isEmpty { try expect(.comma) }
            targets.append(try target(until: nil, allowsAttributes: false))
            try expect(.assign)
            values.append(try expression())
        }
        let body = try closedBody("endwith")
        return WithBlock(targets: targets, values: values, body: body, position: position, scope: scope())
    }

    private mutating func printed(at position: SourcePosition) throws(TemplateError) -> [Statement] {
        var printed: [Statement] = []
        while current.kind != .blockEnd {
            if !printed.isEmpty { try expect(.comma) }
            printed.append(.output(try expression(), position))
        }
        return printed
    }
}
