/// Filters on lists and other sequences.
enum ListFilters {
    @Sendable static func join(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["d", "attribute"], of: "join")
        let path = try AttributePath(bound[1], interpreter)
        let separator = try interpreter.string(bound[0] ?? .string(""))
        let iterator = try interpreter.iterator(over: value)
        var joined = Text()
        var isFirst = true
        while let item = try iterator.next(interpreter) {
            let text = try interpreter.string(try path.value(in: item, interpreter))
            try interpreter.spend(text.count / 4 + separator.count / 4)
            if !isFirst { joined.scalars += separator.scalars }
            joined.scalars += text.scalars
            guard joined.count <= interpreter.limits.characters else {
                throw TemplateError(.limit, "a text of more than \(interpreter.limits.characters) characters")
            }
            isFirst = false
        }
        return .string(joined)
    }

    @Sendable static func list(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        _ = try arguments.bound(to: [], of: "list")
        return .list(try interpreter.items(of: value))
    }

    @Sendable static func reverse(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        _ = try arguments.bound(to: [], of: "reverse")
        if case .string(let text) = value {
            try interpreter.check(characters: text.count)
            return .string(text.reversed)
        }
        if case .iterator = value { return .list(try interpreter.items(of: value).reversed()) }
        let items = try interpreter.items(of: value)
        return .iterator(ItemIterator(count: items.count, depth: value.depth + 1) { items[items.count - 1 - $0] })
    }

    @Sendable static func sort(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["reverse", "case_sensitive", "attribute"], of: "sort")
        let ignoresCase = try !bound.isTrue(1, default: false, interpreter)
        let keys = try AttributePath.paths(bound[2], interpreter).map { SortKey(path: $0, ignoresCase: ignoresCase) }
        let reversed = try bound.isTrue(0, default: false, interpreter)
        return .list(
            try interpreter.sorted(try interpreter.items(of: value), reversed: reversed) {
                (item) throws(TemplateError) in
                var values: [Value] = []
                for key in keys { values.append(try key.value(of: item, interpreter)) }
                return .list(values)
            })
    }

    @Sendable static func sortDictionary(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["case_sensitive", "by", "reverse"], of: "dictsort")
        let by = try bound.text(1, default: "key")
        guard by == "key" || by == "value" else { throw TemplateError(.value, "dictsort sorts by key or by value") }
        guard case .dictionary(let mapping) = value else {
            throw interpreter.unusable(value, "dictsort needs a dictionary, not \(value.typeName)")
        }
        try interpreter.spend(elements: mapping.count)
        let key = SortKey(
            path: try AttributePath(nil, interpreter),
            ignoresCase: try !bound.isTrue(0, default: false, interpreter))
        let indices = try interpreter.sorted(
            Array(0..<mapping.count), reversed: try bound.isTrue(2, default: false, interpreter)
        ) { (index) throws(TemplateError) in
            try key.value(of: by == "key" ? mapping.keys[index] : mapping.values[index], interpreter)
        }
        return .list(indices.map { .tuple([mapping.keys[$0], mapping.values[$0]]) })
    }

    @Sendable static func unique(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["case_sensitive", "attribute"], of: "unique")
        let key = try SortKey(bound, attribute: 1, caseSensitive: 0, interpreter)
        return lazily(value) { (interpreter, source) throws(TemplateError) in
            var seen: Set<Mapping.Key> = []
            return { (interpreter) throws(TemplateError) in
                while let item = try source.next(interpreter) {
                    let itemKey = try key.value(of: item, interpreter)
                    guard let hashed = try interpreter.key(of: itemKey) else {
                        throw TemplateError(.value, "\(itemKey.typeName) cannot be told apart by unique")
                    }
                    if seen.insert(hashed).inserted { return item }
                }
                return nil
            }
        }
    }

    @Sendable static func batch(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["linecount", "fill_with"], of: "batch")
        _ = try bound.required(0)
        let filling = bound[1] ?? .none
        return lazily(value) { (_, source) throws(TemplateError) in
            // What is no number is never the length of a batch.
            let size = try bound.required(0).number
            var carried: Value?
            return { (interpreter) throws(TemplateError) in
                var items: [Value] = carried.map { [$0] } ?? []
                carried = nil
                while let item = try source.next(interpreter) {
                    if let size, Double(items.count) == size {
                        carried = item
                        return .list(items)
                    }
                    items.append(item)
                    try interpreter.check(elements: items.count)
                }
                guard !items.isEmpty else { return nil }
                if case .none = filling { return .list(items) }
                let missing = max(0, try Arithmetic.subtract(try bound.integer(0), items.count))
                try interpreter.spend(elements: missing)
                return .list(items + Array(repeating: filling, count: missing))
            }
        }
    }

    @Sendable static func slice(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["slices", "fill_with"], of: "slice")
        _ = try bound.required(0)
        let filling = bound[1] ?? .none
        return lazily(value) { (interpreter, source) throws(TemplateError) in
            let slices = try bound.integer(0)
            let items = try interpreter.items(of: .iterator(source))
            guard slices != 0 else { throw TemplateError(.value, "slice into no slices") }
            let size = try Arithmetic.floorDivide(items.count, slices)
            let longer = try Arithmetic.modulo(items.count, slices)
            var number = 0
            return { (interpreter) throws(TemplateError) in
                guard number < slices else { return nil }
                let start = number * size + min(number, longer)
                var slice = Array(items[start..<(start + size + (number < longer ? 1 : 0))])
                if number >= longer {
                    if case .none = filling {} else { slice.append(filling) }
                }
                number += 1
                return .list(slice)
            }
        }
    }

    @Sendable static func group(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["attribute", "default", "case_sensitive"], of: "groupby")
        _ = try bound.required(0)
        let key = try SortKey(bound, attribute: 0, caseSensitive: 2, interpreter)
        let path = try AttributePath(bound[0], interpreter)
        var fallback = bound[1]
        if case .some(.none) = fallback { fallback = nil }
        let sorted = try interpreter.sorted(try interpreter.items(of: value)) { (item) throws(TemplateError) in
            try key.value(of: item, interpreter, default: fallback)
        }
        var groups: [(key: Value, items: [Value])] = []
        for item in sorted {
            let itemKey = try key.value(of: item, interpreter, default: fallback)
            if let last = groups.last, try interpreter.areEqual(last.key, itemKey) {
                groups[groups.count - 1].items.append(item)
            } else {
                groups.append((itemKey, [item]))
            }
        }
        var result: [Value] = []
        for group in groups {
            let name = try path.value(in: group.items[0], interpreter, default: fallback)
            result.append(.tuple([name, .list(group.items)]))
        }
        return .list(result)
    }

    /// An iterator over a value that begins only when it is first asked: errors of the value come then, as in Jinja.
    static func lazily(
        _ value: Value,
        _ begin:
            @escaping (Interpreter, ItemIterator) throws(TemplateError) -> (
                (Interpreter) throws(TemplateError) -> Value?
            )
    ) -> Value {
        var advance: ((Interpreter) throws(TemplateError) -> Value?)?
        return .iterator(
            ItemIterator(depth: value.depth + 1) { (interpreter) throws(TemplateError) in
                if let advance { return try advance(interpreter) }
                let begun = try begin(interpreter, try interpreter.iterator(over: value))
                advance = begun
                return try begun(interpreter)
            })
    }
}
