extension Interpreter {
    /// `value.name`: the method of that name if the type has one, else the item.
    func attribute(_ name: Text, of value: Value) throws(TemplateError) -> Value {
        if case .undefined(let undefined) = value { throw TemplateError(.undefined, undefined.message) }
        if let member = try member(name, of: value) { return member }
        if case .dictionary(let mapping) = value, let item = mapping[name] { return item }
        return missing(name, in: value)
    }

    /// `value[index]`: the item if there is one, else the method of that name.
    func item(_ index: Value, of value: Value) throws(TemplateError) -> Value {
        switch value {
        case .undefined(let undefined): throw TemplateError(.undefined, undefined.message)
        case .dictionary(let mapping):
            if let key = try key(of: index), let item = mapping.value(of: key) { return item }
        case .list(let items), .tuple(let items):
            if let position = position(index, count: items.items.count) { return items.items[position] }
        case .string(let text):
            if let position = position(index, count: text.count) { return .string(Text([text.scalars[position]])) }
        case .range(let range):
            if let position = position(index, count: range.count) { return .integer(range[position]) }
        default: break
        }
        guard case .string(let name) = index else {
            return .undefined("\(value.typeName) has no element \(try abbreviated(index))")
        }
        return try member(name, of: value) ?? missing(name, in: value)
    }

    private func position(_ index: Value, count: Int) -> Int? {
        guard let index = index.index else { return nil }
        let position = index < 0 ? index + count : index
        return (0..<count).contains(position) ? position : nil
    }

    private func missing(_ name: Text, in value: Value) -> Value {
        .undefined("\(value.typeName) has no attribute \"\(name.string.prefix(80))\"")
    }

    /// A value in an error's sentence.
    private func abbreviated(_ value: Value) throws(TemplateError) -> String {
        String(try representation(value).string.prefix(80))
    }

    /// A method or a property; undefined where Jinja's sandbox hides it, nil where the type has none of that name.
    private func member(_ name: Text, of value: Value) throws(TemplateError) -> Value? {
        guard name.scalars.first != "_" else {
            // Python's internals are out of reach; a dictionary may hold such a name as a key.
            if case .dictionary = value, !name.string.hasPrefix("__") { return nil }
            if case .namespace = value { return nil }
            return name.string.hasPrefix("__") ? .undefined("\"\(name.string.prefix(80))\" is out of reach") : nil
        }
        let member = name.string
        switch value {
        case .string(let text): return StringMethods.method(member, of: text)
        case .dictionary(let mapping): return MappingMethods.method(member, of: mapping)
        case .list(let items): return SequenceMethods.method(member, of: items, isList: true)
        case .tuple(let items): return SequenceMethods.method(member, of: items, isList: false)
        case .namespace(let namespace): return namespace.attributes[name]
        case .loop(let loop): return try loop.attribute(member, self)
        case .integer, .bool, .float: return NumberMethods.member(member, of: value)
        case .range(let range):
            try spend(elements: range.count)
            let numbers = Items((0..<range.count).map { .integer(range[$0]) })
            return SequenceMethods.method(member, of: numbers, isList: false)
        case .function(let function) where function.name == "dict" && member == "fromkeys":
            return GlobalLibrary.dictionaryFromKeys
        default: return nil
        }
    }

    /// `value[from:to:by]`.
    func slice(_ value: Value, from: Value, to: Value, by: Value) throws(TemplateError) -> Value {
        let count: Int
        switch value {
        case .undefined(let undefined): throw TemplateError(.undefined, undefined.message)
        case .string(let text): count = text.count
        case .list(let items), .tuple(let items): count = items.items.count
        case .range(let range): count = range.count
        default: throw TemplateError(.value, "\(value.typeName) cannot be sliced")
        }
        let bounds = try SliceBounds(from: from, to: to, by: by, count: count)
        try spend(bounds.count / 4 + 1)
        switch value {
        case .string(let text): return .string(Text(bounds.indices.map { text.scalars[$0] }))
        case .list(let items): return .list(bounds.indices.map { items.items[$0] })
        case .tuple(let items): return .tuple(bounds.indices.map { items.items[$0] })
        case .range(let range):
            let step = try Arithmetic.multiply(range.step, by.index ?? 1)
            func number(_ index: Int) throws(TemplateError) -> Int {
                try Arithmetic.add(range.start, try Arithmetic.multiply(index, range.step))
            }
            return .range(
                Progression(
                    start: try number(bounds.first), step: step, count: bounds.count, end: try number(bounds.end)))
        default: return .none
        }
    }
}

/// The indices that a slice stands for, as Python computes them.
struct SliceBounds {
    let first: Int
    let step: Int
    let count: Int
    /// The bound behind the last index.
    let end: Int

    init(from: Value, to: Value, by: Value, count length: Int) throws(TemplateError) {
        var step = try SliceBounds.bound(by) ?? 1
        guard step != 0 else { throw TemplateError(.value, "the step of a slice is zero") }
        // Steps beyond the length all do the same; small numbers cannot overflow.
        step = max(-length - 1, min(length + 1, step))
        let lowest = step < 0 ? -1 : 0
        let highest = step < 0 ? length - 1 : length
        func clamped(_ index: Int) -> Int {
            let index = index < 0 ? max(index, -length - 1) + length : index
            return max(lowest, min(highest, index))
        }
        let start = try SliceBounds.bound(from).map(clamped) ?? (step < 0 ? highest : lowest)
        let stop = try SliceBounds.bound(to).map(clamped) ?? (step < 0 ? lowest : highest)
        let distance = step < 0 ? start - stop : stop - start
        first = start
        self.step = step
        end = stop
        count = distance > 0 ? (distance - 1) / abs(step) + 1 : 0
    }

    var indices: [Int] { (0..<count).map { first + $0 * step } }

    private static func bound(_ value: Value) throws(TemplateError) -> Int? {
        if case .none = value { return nil }
        guard let index = value.index else {
            throw TemplateError(.value, "the bounds of a slice are integers, not \(value.typeName)")
        }
        return index
    }
}
