extension Interpreter {
    func combine(
        _ left: Value, _ operation: ArithmeticOperator, _ right: Value
    ) throws(TemplateError) -> Value {
        if case .modulo = operation, case .string(let format) = left {
            return .string(try PercentFormat.format(format, right, self))
        }
        if let left = left.integerOrBool, let right = right.integerOrBool { return try combine(left, operation, right) }
        if let left = left.number, let right = right.number { return .float(try combine(left, operation, right)) }
        switch operation {
        case .add: return try concatenate(left, right)
        case .multiply: return try repeated(left, right)
        default: throw mismatch(left, operation, right)
        }
    }

    private func combine(_ left: Int, _ operation: ArithmeticOperator, _ right: Int) throws(TemplateError) -> Value {
        switch operation {
        case .add: return .integer(try Arithmetic.add(left, right))
        case .subtract: return .integer(try Arithmetic.subtract(left, right))
        case .multiply: return .integer(try Arithmetic.multiply(left, right))
        case .divide: return .float(try Arithmetic.divide(Double(left), Double(right)))
        case .floorDivide: return .integer(try Arithmetic.floorDivide(left, right))
        case .modulo: return .integer(try Arithmetic.modulo(left, right))
        case .power: return try Arithmetic.power(left, right)
        }
    }

    private func combine(
        _ left: Double, _ operation: ArithmeticOperator, _ right: Double
    ) throws(TemplateError) -> Double {
        switch operation {
        case .add: return left + right
        case .subtract: return left - right
        case .multiply: return left * right
        case .divide: return try Arithmetic.divide(left, right)
        case .floorDivide: return try Arithmetic.floorDivide(left, right)
        case .modulo: return try Arithmetic.modulo(left, right)
        case .power: return try Arithmetic.power(left, right)
        }
    }

    /// `+` on texts, lists and tuples, which do not mix.
    private func concatenate(_ left: Value, _ right: Value) throws(TemplateError) -> Value {
        switch (left, right) {
        case (.string(let left), .string(let right)):
            guard left.isMarkup || right.isMarkup else { return .string(try joined(left, right)) }
            var text = try joined(try escaped(left), try escaped(right))
            text.isMarkup = true
            return .string(text)
        case (.list(let left), .list(let right)):
            try spend(elements: left.items.count + right.items.count)
            return .list(left.items + right.items)
        case (.tuple(let left), .tuple(let right)):
            try spend(elements: left.items.count + right.items.count)
            return .tuple(left.items + right.items)
        default: throw mismatch(left, .add, right)
        }
    }

    private func joined(_ left: Text, _ right: Text) throws(TemplateError) -> Text {
        try check(characters: left.count + right.count)
        return Text(left.scalars + right.scalars)
    }

    /// A text, list or tuple a number of times.
    private func repeated(_ left: Value, _ right: Value) throws(TemplateError) -> Value {
        let (value, times): (Value, Int)
        if let count = right.integerOrBool {
            (value, times) = (left, count)
        } else if let count = left.integerOrBool {
            (value, times) = (right, count)
        } else {
            throw mismatch(left, .multiply, right)
        }
        let count = max(0, times)
        func length(_ unit: Int, limit: Int) throws(TemplateError) -> Int {
            let (length, overflow) = unit.multipliedReportingOverflow(by: count)
            return overflow ? limit + 1 : length
        }
        switch value {
        case .string(let text):
            try check(characters: try length(text.count, limit: limits.characters))
            var repeated = Text()
            if !text.isEmpty { for _ in 0..<count { repeated.scalars += text.scalars } }
            repeated.isMarkup = text.isMarkup
            return .string(repeated)
        case .list(let items):
            try spend(elements: try length(items.items.count, limit: limits.elements))
            return .list(items.items.isEmpty ? [] : Array(repeating: items.items, count: count).flatMap { $0 })
        case .tuple(let items):
            try spend(elements: try length(items.items.count, limit: limits.elements))
            return .tuple(items.items.isEmpty ? [] : Array(repeating: items.items, count: count).flatMap { $0 })
        default: throw mismatch(left, .multiply, right)
        }
    }

    private func mismatch(_ left: Value, _ operation: ArithmeticOperator, _ right: Value) -> TemplateError {
        let sign: String
        switch operation {
        case .add: sign = "+"
        case .subtract: sign = "-"
        case .multiply: sign = "*"
        case .divide: sign = "/"
        case .floorDivide: sign = "//"
        case .modulo: sign = "%"
        case .power: sign = "**"
        }
        let culprit = right.isUndefined ? right : left
        return unusable(culprit, "\(left.typeName) \(sign) \(right.typeName) has no meaning")
    }

    /// A text with the characters that HTML reserves replaced, unless it is marked as escaped.
    func escaped(_ text: Text) throws(TemplateError) -> Text {
        guard !text.isMarkup else { return text }
        var escaped = Text()
        for scalar in text.scalars {
            switch scalar {
            case "&": escaped.scalars += "&amp;".unicodeScalars
            case "<": escaped.scalars += "&lt;".unicodeScalars
            case ">": escaped.scalars += "&gt;".unicodeScalars
            case "'": escaped.scalars += "&#39;".unicodeScalars
            case "\"": escaped.scalars += "&#34;".unicodeScalars
            default: escaped.scalars.append(scalar)
            }
        }
        escaped.isMarkup = true
        try check(characters: escaped.count)
        return escaped
    }
}

extension Value {
    /// The number of an integer, or of a truth value, which Python counts among them.
    var integerOrBool: Int? {
        switch self {
        case .integer(let value): return value
        case .bool(let value): return value ? 1 : 0
        default: return nil
        }
    }

    /// What can be an index.
    var index: Int? { integerOrBool }

    var number: Double? {
        if case .float(let value) = self { return value }
        return integerOrBool.map { Double($0) }
    }
}
