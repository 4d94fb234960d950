extension Parser {
    /// Attributes, items and calls.
    mutating func postfixes() throws(TemplateError) -> [Suffix] {
        var suffixes: [Suffix] = []
        while true {
            if isSymbol(.dot) {
                suffixes.append(try attribute())
            } else if isSymbol(.leftBracket) {
                suffixes.append(try subscripted())
            } else if isSymbol(.leftParenthesis) {
                suffixes.append(Suffix(kind: .call(try arguments()), position: current.position))
            } else {
                return suffixes
            }
        }
    }

    /// Filters and tests, and calls of what they yield.
    mutating func filtersAndTests() throws(TemplateError) -> [Suffix] {
        var suffixes: [Suffix] = []
        while true {
            if take(.pipe) {
                suffixes.append(try filter())
            } else if isName("is") {
                suffixes.append(try test())
            } else if isSymbol(.leftParenthesis) {
                suffixes.append(Suffix(kind: .call(try arguments()), position: current.position))
            } else {
                return suffixes
            }
        }
    }

    /// Filters only, each behind its `|`.
    mutating func filters() throws(TemplateError) -> [Suffix] {
        var suffixes: [Suffix] = []
        while take(.pipe) { suffixes.append(try filter()) }
        return suffixes
    }

    /// A filter behind its `|`.
    mutating func filter() throws(TemplateError) -> Suffix {
        let position = current.position
        let name = try dottedName()
        let arguments = isSymbol(.leftParenthesis) ? try arguments() : ArgumentList()
        return Suffix(kind: .filter(name, arguments), position: position)
    }

    private mutating func dottedName() throws(TemplateError) -> String {
        var name = try expectName()
        while take(.dot) { name += "." + (try expectName()) }
        return name
    }

    private mutating func test() throws(TemplateError) -> Suffix {
        let position = current.position
        advance()
        let negated = take(name: "not")
        let name = try dottedName()
        var arguments = ArgumentList()
        switch current.kind {
        case .symbol(.leftParenthesis): arguments = try self.arguments()
        case .name("else"), .name("or"), .name("and"): break
        case .name("is"): throw fault("tests cannot be chained", at: current.position)
        case .name, .string, .integer, .float, .symbol(.leftBracket), .symbol(.leftBrace):
            try enter()
            let argument = try primary()
            let suffixes = try postfixes()
            leave()
            arguments.positional = [suffixes.isEmpty ? argument : .suffixed(argument, suffixes)]
        default: break
        }
        return Suffix(kind: .test(name, arguments, negated: negated), position: position)
    }

    private mutating func attribute() throws(TemplateError) -> Suffix {
        let position = current.position
        advance()
        switch current.kind {
        case .name(let name):
            advance()
            return Suffix(kind: .attribute(Text(name)), position: position)
        case .integer(let index):
            advance()
            return Suffix(kind: .item(.integer(index)), position: position)
        default: throw unexpected("a name or a number")
        }
    }

    private mutating func subscripted() throws(TemplateError) -> Suffix {
        let position = current.position
        advance()
        var items: [Expression] = []
        while !isSymbol(.rightBracket) {
            if !items.isEmpty { try expect(.comma) }
            let from = isSymbol(.colon) ? nil : try expression()
            guard take(.colon) else {
                if let from { items.append(from) }
                continue
            }
            guard items.isEmpty else { throw fault("a slice among several indices", at: position) }
            let to = isSliceEnd ? nil : try expression()
            let by = take(.colon) && !isSliceEnd ? try expression() : nil
            try expect(.rightBracket)
            return Suffix(kind: .slice(from: from, to: to, by: by), position: position)
        }
        advance()
        return Suffix(kind: .item(items.count == 1 ? items[0] : .tuple(items)), position: position)
    }

    private var isSliceEnd: Bool { isSymbol(.colon) || isSymbol(.rightBracket) || isSymbol(.comma) }

    /// The arguments of a call with their parentheses.
    mutating func arguments() throws(TemplateError) -> ArgumentList {
        let position = current.position
        try expect(.leftParenthesis)
        var list = ArgumentList()
        var isFirst = true
        while !isSymbol(.rightParenthesis) {
            if !isFirst {
                try expect(.comma)
                if isSymbol(.rightParenthesis) { break }
            }
            isFirst = false
            if take(.multiply) {
                guard list.spread == nil, list.namedSpread == nil else { throw invalid(position) }
                list.spread = try expression()
            } else if take(.power) {
                guard list.namedSpread == nil else { throw invalid(position) }
                list.namedSpread = try expression()
            } else if case .name(let name) = current.kind, following.kind == .symbol(.assign) {
                guard list.namedSpread == nil, list.named.count < TemplateLimits.parameters,
                    !list.named.contains(where: { $0.name == name })
                else {
                    throw invalid(position)
                }
                advance()
                advance()
                list.named.append((name, try expression()))
            } else {
                guard list.spread == nil, list.namedSpread == nil, list.named.isEmpty else { throw invalid(position) }
                list.positional.append(try expression())
            }
        }
        try expect(.rightParenthesis)
        return list
    }

    private func invalid(_ position: SourcePosition) -> TemplateError {
        fault("these arguments are in no valid order", at: position)
    }
}
