/// `loop` inside a loop.
///
/// Looking ahead (`last`, `nextitem`, `length` of an iterator) advances the iterator early, as in Jinja.
final class LoopState {
    private var items: ItemIterator
    private(set) var index0 = -1
    private var knownCount: Int?
    private var ahead: Value?
    private var current: Value?
    private var before: Value?
    private var lastChanged: [Value]?

    /// - Parameter count: the number of items, nil where only going over them tells.
    init(_ items: ItemIterator, count: Int?) {
        self.items = items
        knownCount = count
    }

    func next(_ interpreter: Interpreter) throws(TemplateError) -> Value? {
        let value: Value?
        if let ahead {
            value = ahead
            self.ahead = nil
        } else {
            value = try items.next(interpreter)
        }
        guard let value else { return nil }
        index0 += 1
        before = current
        current = value
        return value
    }

    /// Lets go of the items when the loop is over, so that loops kept in variables do not hold each other.
    func finish() {
        items = ItemIterator(depth: 0) { (_) throws(TemplateError) -> Value? in nil }
        (ahead, current, before, lastChanged) = (nil, nil, nil, nil)
    }

    private func peek(_ interpreter: Interpreter) throws(TemplateError) -> Value? {
        if ahead == nil { ahead = try items.next(interpreter) }
        return ahead
    }

    func count(_ interpreter: Interpreter) throws(TemplateError) -> Int {
        if let knownCount { return knownCount }
        let hasAhead = ahead != nil
        var rest: [Value] = []
        while let item = try items.next(interpreter) {
            rest.append(item)
            try interpreter.check(elements: rest.count)
        }
        let depth = 1 + rest.reduce(0) { max($0, $1.depth) }
        items = ItemIterator(count: rest.count, depth: depth) { rest[$0] }
        let count = rest.count + index0 + 1 + (hasAhead ? 1 : 0)
        knownCount = count
        return count
    }

    /// An attribute; nil where `loop` has none of that name.
    func attribute(_ name: String, _ interpreter: Interpreter) throws(TemplateError) -> Value? {
        switch name {
        case "index0": return .integer(index0)
        case "index": return .integer(index0 + 1)
        case "first": return .bool(index0 == 0)
        case "last": return .bool(try peek(interpreter) == nil)
        case "length": return .integer(try count(interpreter))
        case "revindex": return .integer(try count(interpreter) - index0)
        case "revindex0": return .integer(try count(interpreter) - index0 - 1)
        case "previtem": return index0 == 0 ? .undefined("there is no previous item") : before ?? .undefined("no item")
        case "nextitem": return try peek(interpreter) ?? .undefined("there is no next item")
        case "depth": return .integer(1)
        case "depth0": return .integer(0)
        case "cycle":
            return .function(
                Function("loop.cycle") { [self] (_, arguments) throws(TemplateError) in
                    guard !arguments.positional.isEmpty else {
                        throw TemplateError(.value, "loop.cycle needs something to cycle through")
                    }
                    return arguments.positional[max(0, index0) % arguments.positional.count]
                })
        case "changed":
            return .function(
                Function("loop.changed") { [self] (interpreter, arguments) throws(TemplateError) in
                    let values = arguments.positional
                    if let lastChanged, try interpreter.areEqual(.tuple(lastChanged), .tuple(values)) {
                        return .bool(false)
                    }
                    lastChanged = values
                    return .bool(true)
                })
        default: return nil
        }
    }
}
