extension Parser {
    /// Binding strength of binary operators, weakest first.
    private enum Precedence: Int {
        case or, and, not, comparison, sum, concatenation, product, power

        var tighter: Precedence { Precedence(rawValue: rawValue + 1) ?? .power }
    }

    /// An expression, or a tuple of expressions with commas between them.
    mutating func tupleOrExpression(
        allowsCondition: Bool = true, end: String? = nil, isParenthesized: Bool = false
    ) throws(TemplateError) -> Expression {
        var items: [Expression] = []
        var isTuple = false
        while true {
            if !items.isEmpty {
                guard take(.comma) else { break }
                isTuple = true
            }
            if isTupleEnd(end) { break }
            items.append(allowsCondition ? try expression() : try binary(.or))
        }
        if !isTuple, let only = items.first { return only }
        guard isTuple || isParenthesized else { throw unexpected("an expression") }
        return .tuple(items)
    }

    private func isTupleEnd(_ end: String?) -> Bool {
        switch current.kind {
        case .variableEnd, .blockEnd, .symbol(.rightParenthesis): return true
        case .name(let name): return name == end
        default: return false
        }
    }

    /// An expression, conditional or not.
    mutating func expression() throws(TemplateError) -> Expression {
        try enter()
        var value = try binary(.or)
        var links = 0
        while isName("if") {
            let position = current.position
            advance()
            // Each further `if` wraps what stands before it.
            links += 1
            try enter()
            let test = try binary(.or)
            let otherwise = take(name: "else") ? try expression() : nil
            value = .conditional(test: test, then: value, otherwise: otherwise, position)
        }
        for _ in 0...links { leave() }
        return value
    }

    /// Operators that bind at least as strongly as `minimum`, by precedence climbing: brackets take few stack frames.
    private mutating func binary(_ minimum: Precedence) throws(TemplateError) -> Expression {
        try enter()
        var value: Expression
        if minimum.rawValue <= Precedence.not.rawValue, take(name: "not") {
            value = .not(try binary(.not))
        } else {
            value = try unary()
        }
        while let precedence = operatorPrecedence(), precedence.rawValue >= minimum.rawValue {
            switch precedence {
            case .or: value = .or(try operands(of: value, "or", .and))
            case .and: value = .and(try operands(of: value, "and", .not))
            case .comparison: value = .comparison(value, try comparisons())
            case .concatenation: value = .concatenation(try concatenated(to: value))
            case .not, .sum, .product, .power: value = .arithmetic(value, try arithmetic(precedence))
            }
        }
        leave()
        return value
    }

    private func operatorPrecedence() -> Precedence? {
        switch current.kind {
        case .name("or"): return .or
        case .name("and"): return .and
        case .symbol(.tilde): return .concatenation
        default: break
        }
        if comparisonOperator() != nil { return .comparison }
        return arithmeticOperator()?.precedence
    }

    private mutating func operands(
        of first: Expression, _ word: String, _ tighter: Precedence
    ) throws(TemplateError) -> [Expression] {
        var operands = [first]
        while take(name: word) { operands.append(try binary(tighter)) }
        return operands
    }

    private mutating func comparisons() throws(TemplateError) -> [ComparisonStep] {
        var steps: [ComparisonStep] = []
        while let operation = comparisonOperator() {
            let position = current.position
            advance()
            if operation == .notContained { advance() }
            steps.append(ComparisonStep(operation: operation, operand: try binary(.sum), position: position))
        }
        return steps
    }

    private func comparisonOperator() -> ComparisonOperator? {
        switch current.kind {
        case .symbol(.equal): return .equal
        case .symbol(.notEqual): return .notEqual
        case .symbol(.less): return .less
        case .symbol(.lessOrEqual): return .lessOrEqual
        case .symbol(.greater): return .greater
        case .symbol(.greaterOrEqual): return .greaterOrEqual
        case .name("in"): return .contained
        case .name("not"): return following.kind == .name("in") ? .notContained : nil
        default: return nil
        }
    }

    private mutating func concatenated(to first: Expression) throws(TemplateError) -> [Expression] {
        var operands = [first]
        while take(.tilde) { operands.append(try binary(.product)) }
        return operands
    }

    private mutating func arithmetic(_ precedence: Precedence) throws(TemplateError) -> [ArithmeticStep] {
        var steps: [ArithmeticStep] = []
        while let (operation, _) = arithmeticOperator().flatMap({ $0.precedence == precedence ? $0 : nil }) {
            let position = current.position
            advance()
            let operand = precedence == .power ? try unary() : try binary(precedence.tighter)
            steps.append(ArithmeticStep(operation: operation, operand: operand, position: position))
        }
        return steps
    }

    private func arithmeticOperator() -> (operation: ArithmeticOperator, precedence: Precedence)? {
        switch current.kind {
        case .symbol(.add): return (.add, .sum)
        case .symbol(.subtract): return (.subtract, .sum)
        case .symbol(.multiply): return (.multiply, .product)
        case .symbol(.divide): return (.divide, .product)
        case .symbol(.floorDivide): return (.floorDivide, .product)
        case .symbol(.modulo): return (.modulo, .product)
        case .symbol(.power): return (.power, .power)
        default: return nil
        }
    }

    /// A primary with its sign and everything that stands behind it.
    private mutating func unary(withFilters: Bool = true) throws(TemplateError) -> Expression {
        let position = current.position
        var value: Expression
        if isSymbol(.subtract) || isSymbol(.add) {
            let sign: SignOperator = isSymbol(.subtract) ? .minus : .plus
            advance()
            try enter()
            value = .sign(sign, try unary(withFilters: false), position)
            leave()
        } else {
            value = try primary()
        }
        var suffixes = try postfixes()
        if withFilters { suffixes += try filtersAndTests() }
        return suffixes.isEmpty ? value : .suffixed(value, suffixes)
    }

    /// A literal, a name or a bracketed expression.
    mutating func primary() throws(TemplateError) -> Expression {
        let token = current
        switch token.kind {
        case .name(let name):
            advance()
            switch name {
            case "true", "True": return .bool(true)
            case "false", "False": return .bool(false)
            case "none", "None": return .none
            default: return .name(reference(name, .load, at: token.position))
            }
        case .string(var text):
            advance()
            while case .string(let more) = current.kind {
                text.scalars += more.scalars
                advance()
            }
            return .string(text)
        case .integer(let value):
            advance()
            return .integer(value)
        case .float(let value):
            advance()
            return .float(value)
        case .symbol(.leftParenthesis):
            advance()
            let inner = try tupleOrExpression(isParenthesized: true)
            try expect(.rightParenthesis)
            return inner
        case .symbol(.leftBracket): return try list()
        case .symbol(.leftBrace): return try dictionary()
        default: throw unexpected("an expression")
        }
    }

    private mutating func list() throws(TemplateError) -> Expression {
        advance()
        var items: [Expression] = []
        while !isSymbol(.rightBracket) {
            if !items.isEmpty { try expect(.comma) }
            if isSymbol(.rightBracket) { break }
            items.append(try expression())
        }
        advance()
        return .list(items)
    }

    private mutating func dictionary() throws(TemplateError) -> Expression {
        advance()
        var entries: [DictionaryEntry] = []
        while !isSymbol(.rightBrace) {
            if !entries.isEmpty { try expect(.comma) }
            if isSymbol(.rightBrace) { break }
            let key = try expression()
            try expect(.colon)
            entries.append(DictionaryEntry(key: key, value: try expression()))
        }
        advance()
        return .dictionary(entries)
    }
}
