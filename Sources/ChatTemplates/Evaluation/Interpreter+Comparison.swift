extension Interpreter {
    func compare(_ left: Value, _ operation: ComparisonOperator, _ right: Value) throws(TemplateError) -> Bool {
        switch operation {
        case .equal: return try areEqual(left, right)
        case .notEqual: return try !areEqual(left, right)
        case .contained: return try contains(right, left)
        case .notContained: return try !contains(right, left)
        case .less: return try order(left, right) { $0 == .less }
        case .lessOrEqual: return try order(left, right) { $0 == .less || $0 == .equal }
        case .greater: return try order(left, right) { $0 == .greater }
        case .greaterOrEqual: return try order(left, right) { $0 == .greater || $0 == .equal }
        }
    }

    /// Whether a value counts as true.
    func isTrue(_ value: Value) throws(TemplateError) -> Bool {
        switch value {
        case .undefined, .none: return false
        case .bool(let value): return value
        case .integer(let value): return value != 0
        case .float(let value): return value != 0
        case .string(let text): return !text.isEmpty
        case .list(let items), .tuple(let items): return !items.items.isEmpty
        case .dictionary(let mapping): return mapping.count > 0
        case .view(let view): return view.mapping.count > 0
        case .range(let range): return range.count > 0
        case .loop(let loop): return try loop.count(self) > 0
        case .iterator, .namespace, .function: return true
        }
    }

    func areEqual(_ left: Value, _ right: Value) throws(TemplateError) -> Bool {
        try spend(1)
        switch (left, right) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.string(let left), .string(let right)):
            guard left.count == right.count else { return false }
            try spend(left.count / 16)
            return left == right
        case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
            return left === right ? true : try areEqual(left.items, right.items)
        case (.dictionary(let left), .dictionary(let right)): return try areEqual(left, right)
        case (.range(let left), .range(let right)):
            return left.count == right.count
                && (left.count == 0 || (left.start == right.start && (left.count == 1 || left.step == right.step)))
        case (.view(let left), .view(let right)): return try areEqual(left, right)
        case (.iterator(let left), .iterator(let right)): return left === right
        case (.namespace(let left), .namespace(let right)): return left === right
        case (.loop(let left), .loop(let right)): return left === right
        case (.function(let left), .function(let right)): return left === right
        default: return Value.numericOrder(left, right) == .equal
        }
    }

    private func areEqual(_ left: [Value], _ right: [Value]) throws(TemplateError) -> Bool {
        guard left.count == right.count else { return false }
        for (left, right) in zip(left, right) where try !areEqual(left, right) { return false }
        return true
    }

    private func areEqual(_ left: Mapping, _ right: Mapping) throws(TemplateError) -> Bool {
        guard left.count == right.count else { return false }
        for (keyValue, value) in zip(left.keys, left.values) {
            guard let key = try key(of: keyValue), let other = right.value(of: key), try areEqual(value, other) else {
                return false
            }
        }
        return true
    }

    /// Keys and items compare as sets; the values of two dictionaries never equal each other.
    private func areEqual(_ left: MappingView, _ right: MappingView) throws(TemplateError) -> Bool {
        switch (left.kind, right.kind) {
        case (.items, .items): return try areEqual(left.mapping, right.mapping)
        case (.keys, .keys):
            guard left.mapping.count == right.mapping.count else { return false }
            for keyValue in left.mapping.keys {
                guard let key = try key(of: keyValue), right.mapping.position(of: key) != nil else { return false }
            }
            return true
        default: return false
        }
    }

    /// What two values that Python calls equal have in common as keys; nil for lists and dictionaries.
    func key(of value: Value) throws(TemplateError) -> Mapping.Key? {
        try spend(1)
        switch value {
        case .none: return Mapping.Key.none
        case .bool(let value): return .integer(value ? 1 : 0)
        case .integer(let value): return .integer(value)
        case .float(let value): return Int(exactly: value).map { .integer($0) } ?? .float(value)
        case .string(let text):
            try spend(text.count / 16)
            return .text(text)
        case .tuple(let items):
            var keys: [Mapping.Key] = []
            for item in items.items {
                guard let key = try key(of: item) else { return nil }
                keys.append(key)
            }
            return .tuple(keys)
        case .undefined: return .object(ObjectIdentifier(Value.Undefined.self))
        case .range(let range):
            return .tuple([.text("range"), .integer(range.start), .integer(range.step), .integer(range.count)])
        case .namespace(let namespace): return .object(ObjectIdentifier(namespace))
        case .iterator(let iterator): return .object(ObjectIdentifier(iterator))
        case .loop(let loop): return .object(ObjectIdentifier(loop))
        case .function(let function): return .object(ObjectIdentifier(function))
        case .list, .dictionary, .view: return nil
        }
    }

    /// `item in container`.
    func contains(_ container: Value, _ item: Value) throws(TemplateError) -> Bool {
        switch container {
        case .string(let text):
            guard case .string(let part) = item else {
                throw unusable(item, "only a string can be in a string, not \(item.typeName)")
            }
            try spend(text.count / 4 + 1)
            return text.firstIndex(of: part) != nil
        case .dictionary(let mapping): return try isKey(item, of: mapping)
        case .view(let view) where view.kind == .keys: return try isKey(item, of: view.mapping)
        case .none, .bool, .integer, .float, .namespace, .function, .loop:
            throw TemplateError(.value, "\(container.typeName) contains nothing that could be looked for")
        default:
            let iterator = try iterator(over: container)
            while let element = try iterator.next(self) {
                if try areEqual(element, item) { return true }
            }
            return false
        }
    }

    private func isKey(_ value: Value, of mapping: Mapping) throws(TemplateError) -> Bool {
        guard let key = try key(of: value) else { throw TemplateError(.value, "\(value.typeName) cannot be a key") }
        return mapping.position(of: key) != nil
    }

    private func order(
        _ left: Value, _ right: Value, _ holds: (Value.Order) -> Bool
    ) throws(TemplateError) -> Bool {
        guard let order = try order(left, right) else {
            let culprit = right.isUndefined ? right : left
            throw unusable(culprit, "\(left.typeName) and \(right.typeName) have no order")
        }
        return holds(order)
    }

    /// The order of two values; nil where Python knows none.
    func order(_ left: Value, _ right: Value) throws(TemplateError) -> Value.Order? {
        try spend(1)
        switch (left, right) {
        case (.string(let left), .string(let right)):
            try spend(min(left.count, right.count) / 16)
            return left == right ? .equal : left < right ? .less : .greater
        case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
            for (left, right) in zip(left.items, right.items) where try !areEqual(left, right) {
                return try order(left, right)
            }
            return Value.numericOrder(.integer(left.items.count), .integer(right.items.count))
        default: return Value.numericOrder(left, right)
        }
    }
}

extension Value {
    enum Order {
        case less
        case equal
        case greater
        /// A number and "not a number".
        case unordered
    }

    /// The order of two numbers, exact also between integers and fractions; nil for anything else.
    static func numericOrder(_ left: Value, _ right: Value) -> Order? {
        if let left = left.integerOrBool, let right = right.integerOrBool {
            return left == right ? .equal : left < right ? .less : .greater
        }
        switch (left, right) {
        case (.float(let left), .float(let right)): return order(left, right)
        case (.float(let left), _): return right.integerOrBool.map { order(left, $0) }
        case (_, .float(let right)):
            guard let left = left.integerOrBool else { return nil }
            switch order(right, left) {
            case .less: return .greater
            case .greater: return .less
            case let same: return same
            }
        default: return nil
        }
    }

    private static func order(_ left: Double, _ right: Double) -> Order {
        left == right ? .equal : left < right ? .less : left > right ? .greater : .unordered
    }

    private static func order(_ left: Double, _ right: Int) -> Order {
        if left.isNaN { return .unordered }
        if left >= 0x1p63 { return .greater }
        if left < -0x1p63 { return .less }
        let whole = Int(left.rounded(.towardZero))
        if whole != right { return whole < right ? .less : .greater }
        let fraction = left - left.rounded(.towardZero)
        return fraction == 0 ? .equal : fraction < 0 ? .less : .greater
    }
}
