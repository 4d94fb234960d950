/// A Python iterator: items one after the other, each once.
///
/// What filters such as `select` yield is evaluated when it is asked for, as in Jinja.
final class ItemIterator {
    private var advance: (Interpreter) throws(TemplateError) -> Value?
    /// The nesting of the values that it may hold.
    let depth: Int

    init(depth: Int, _ advance: @escaping (Interpreter) throws(TemplateError) -> Value?) {
        self.depth = depth
        self.advance = advance
    }

    /// Items of an array by index.
    convenience init(count: Int, depth: Int, _ element: @escaping (Int) -> Value) {
        var index = 0
        self.init(depth: depth) { (_) throws(TemplateError) -> Value? in
            guard index < count else { return nil }
            defer { index += 1 }
            return element(index)
        }
    }

    func next(_ interpreter: Interpreter) throws(TemplateError) -> Value? {
        try interpreter.spend(1)
        guard let value = try advance(interpreter) else {
            // An exhausted iterator stays so and lets go of what it went over.
            advance = { (_) throws(TemplateError) -> Value? in nil }
            return nil
        }
        return value
    }
}
