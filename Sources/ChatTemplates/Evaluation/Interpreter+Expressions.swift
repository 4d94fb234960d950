extension Interpreter {
    func evaluate(_ expression: Expression) throws(TemplateError) -> Value {
        try spend(1)
        switch expression {
        case .none: return .none
        case .bool(let value): return .bool(value)
        case .integer(let value): return .integer(value)
        case .float(let value): return .float(value)
        case .string(let text): return .string(text)
        case .name(let reference): return load(reference)
        default: break
        }
        try descend()
        defer { ascend() }
        switch expression {
        case .list(let items): return try checked(.list(try evaluate(items)))
        case .tuple(let items): return try checked(.tuple(try evaluate(items)))
        case .dictionary(let entries): return try evaluate(entries)
        case .suffixed(let base, let suffixes): return try apply(suffixes, to: try evaluate(base))
        case .sign(let sign, let operand, let place): return try evaluate(sign, operand, at: place)
        case .not(let operand): return .bool(try !isTrue(try evaluate(operand)))
        case .arithmetic(let first, let steps): return try evaluate(first, steps)
        case .concatenation(let items): return try concatenate(items)
        case .comparison(let first, let steps): return try evaluate(first, steps)
        case .and(let operands): return try firstOperand(of: operands, thatIs: false)
        case .or(let operands): return try firstOperand(of: operands, thatIs: true)
        case .conditional(let test, let then, let otherwise, let place):
            return try choose(test, then, otherwise, at: place)
        case .none, .bool, .integer, .float, .string, .name: return .none
        }
    }

    /// The value of a variable, undefined if it has none.
    func load(_ reference: NameReference) -> Value {
        let place = program.layout.names[reference.identifier]
        return activation.out(place.hops).slots[place.slot] ?? .undefined("\"\(reference.name)\" is undefined")
    }

    /// Refuses lists that lie too deep in lists.
    func checked(_ value: Value) throws(TemplateError) -> Value {
        guard value.depth <= TemplateLimits.valueDepth else {
            throw TemplateError(.limit, "values nested deeper than \(TemplateLimits.valueDepth) levels")
        }
        return value
    }

    @inline(never)
    private func evaluate(_ items: [Expression]) throws(TemplateError) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(items.count)
        for item in items { values.append(try evaluate(item)) }
        return values
    }

    @inline(never)
    private func evaluate(_ entries: [DictionaryEntry]) throws(TemplateError) -> Value {
        let mapping = Mapping()
        for entry in entries {
            let keyValue = try evaluate(entry.key)
            guard let key = try key(of: keyValue) else {
                throw TemplateError(.value, "\(keyValue.typeName) cannot be a key")
            }
            mapping.set(keyValue, key: key, to: try evaluate(entry.value))
        }
        return try checked(.dictionary(mapping))
    }

    @inline(never)
    private func firstOperand(of operands: [Expression], thatIs truth: Bool) throws(TemplateError) -> Value {
        var value = Value.none
        for (index, operand) in operands.enumerated() {
            value = try evaluate(operand)
            if index < operands.count - 1, try isTrue(value) == truth { return value }
        }
        return value
    }

    @inline(never)
    private func concatenate(_ items: [Expression]) throws(TemplateError) -> Value {
        var text = Text()
        for item in items {
            let part = try string(try evaluate(item))
            try check(characters: text.count + part.count)
            text.scalars += part.scalars
        }
        return .string(text)
    }

    @inline(never)
    private func choose(
        _ test: Expression, _ then: Expression, _ otherwise: Expression?, at place: SourcePosition
    ) throws(TemplateError) -> Value {
        if try isTrue(try evaluate(test)) { return try evaluate(then) }
        if let otherwise { return try evaluate(otherwise) }
        return .undefined("the inline if of line \(place.line) was false and has no else")
    }

    @inline(never)
    private func evaluate(
        _ sign: SignOperator, _ operand: Expression, at place: SourcePosition
    ) throws(TemplateError) -> Value {
        let value = try evaluate(operand)
        position = place
        switch (value, sign) {
        case (.bool(let flag), .plus): return .integer(flag ? 1 : 0)
        case (.bool(let flag), .minus): return .integer(flag ? -1 : 0)
        case (.integer, .plus), (.float, .plus): return value
        case (.integer(let number), .minus): return .integer(try Arithmetic.subtract(0, number))
        case (.float(let number), .minus): return .float(-number)
        default: throw unusable(value, "a number is needed, not \(value.typeName)")
        }
    }

    @inline(never)
    private func evaluate(_ first: Expression, _ steps: [ArithmeticStep]) throws(TemplateError) -> Value {
        var value = try evaluate(first)
        for step in steps {
            let operand = try evaluate(step.operand)
            position = step.position
            value = try checked(try combine(value, step.operation, operand))
        }
        return value
    }

    /// A chain of comparisons: `a < b < c` compares neighbours and stops at the first that does not hold.
    @inline(never)
    private func evaluate(_ first: Expression, _ steps: [ComparisonStep]) throws(TemplateError) -> Value {
        var left = try evaluate(first)
        for step in steps {
            let right = try evaluate(step.operand)
            position = step.position
            guard try compare(left, step.operation, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    /// Applies what stands behind an expression, one after the other.
    @inline(never)
    func apply(_ suffixes: [Suffix], to base: Value) throws(TemplateError) -> Value {
        var value = base
        for suffix in suffixes {
            try spend(1)
            value = try checked(try apply(suffix, to: value))
        }
        return value
    }

    private func apply(_ suffix: Suffix, to value: Value) throws(TemplateError) -> Value {
        switch suffix.kind {
        case .attribute(let name):
            position = suffix.position
            return try attribute(name, of: value)
        case .item(let expression):
            let index = try evaluate(expression)
            position = suffix.position
            return try item(index, of: value)
        case .slice(let from, let to, let by):
            let (from, to, by) = (try bound(from), try bound(to), try bound(by))
            position = suffix.position
            return try slice(value, from: from, to: to, by: by)
        case .call(let list):
            let arguments = try evaluate(list)
            position = suffix.position
            return try call(value, arguments)
        case .filter(let name, let list):
            let arguments = try evaluate(list)
            position = suffix.position
            return try FilterLibrary.apply(name, to: value, arguments, self)
        case .test(let name, let list, let negated):
            let arguments = try evaluate(list)
            position = suffix.position
            return .bool(try TestLibrary.holds(name, of: value, arguments, self) != negated)
        }
    }

    private func bound(_ expression: Expression?) throws(TemplateError) -> Value {
        guard let expression else { return .none }
        return try evaluate(expression)
    }

    /// The error for a value of the wrong type, which for an undefined one says what is undefined.
    func unusable(_ value: Value, _ message: String) -> TemplateError {
        if case .undefined(let undefined) = value { return TemplateError(.undefined, undefined.message) }
        return TemplateError(.value, message)
    }
}
