/// Something that can be called: a function of the library, a method with its object, or a macro.
final class Function {
    let name: String
    let body: Body
    let depth: Int

    enum Body {
        case native((Interpreter, Arguments) throws(TemplateError) -> Value)
        case macro(MacroDefinition, Activation)
    }

    init(_ name: String, depth: Int = 1, _ body: @escaping (Interpreter, Arguments) throws(TemplateError) -> Value) {
        self.name = name
        self.depth = depth
        self.body = .native(body)
    }

    init(macro: MacroDefinition, in activation: Activation) {
        name = macro.name?.name ?? ""
        depth = 1
        body = .macro(macro, activation)
    }
}

/// The variables of the template or of one call of a macro.
final class Activation {
    var slots: [Value?]
    let outer: Activation?

    init(slotCount: Int, outer: Activation?) {
        slots = Array(repeating: nil, count: slotCount)
        self.outer = outer
    }

    /// The activation a number of levels out.
    func out(_ hops: Int) -> Activation {
        var activation = self
        for _ in 0..<hops {
            guard let outer = activation.outer else { break }
            activation = outer
        }
        return activation
    }
}
