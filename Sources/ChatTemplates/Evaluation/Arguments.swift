/// The values that a call passes.
struct Arguments {
    var positional: [Value] = []
    var named: [(name: Text, value: Value)] = []

    /// The arguments in the order of a function's parameters; nil for those that are not given.
    ///
    /// - Throws: a ``TemplateError`` for too many arguments, an unknown name, or a parameter given twice.
    func bound(to parameters: [StaticString], of function: String) throws(TemplateError) -> Bound {
        guard positional.count <= parameters.count else {
            throw TemplateError(
                .value, "\(function) takes at most \(parameters.count) arguments, not \(positional.count)")
        }
        var values: [Value?] = positional.map { $0 }
        values += Array(repeating: nil, count: parameters.count - positional.count)
        for (name, value) in named {
            guard let index = parameters.firstIndex(where: { Text("\($0)") == name }) else {
                throw TemplateError(.value, "\(function) has no argument \"\(name.string.prefix(40))\"")
            }
            guard values[index] == nil else {
                throw TemplateError(.value, "\(function) gets the argument \"\(parameters[index])\" twice")
            }
            values[index] = value
        }
        return Bound(values: values, function: function, parameters: parameters)
    }

    /// Arguments in the order of the parameters.
    struct Bound {
        let values: [Value?]
        let function: String
        let parameters: [StaticString]

        subscript(index: Int) -> Value? { values[index] }

        func required(_ index: Int) throws(TemplateError) -> Value {
            guard let value = values[index] else {
                throw TemplateError(.value, "\(function) needs the argument \"\(parameters[index])\"")
            }
            return value
        }

        func integer(_ index: Int, default fallback: Int? = nil) throws(TemplateError) -> Int {
            if values[index] == nil, let fallback { return fallback }
            let value = try required(index)
            guard let integer = value.index else { throw mismatch(index, "an integer", value) }
            return integer
        }

        func text(_ index: Int, default fallback: Text? = nil) throws(TemplateError) -> Text {
            if values[index] == nil, let fallback { return fallback }
            let value = try required(index)
            guard case .string(let text) = value else { throw mismatch(index, "a string", value) }
            return text
        }

        func isTrue(_ index: Int, default fallback: Bool, _ interpreter: Interpreter) throws(TemplateError) -> Bool {
            guard let value = values[index] else { return fallback }
            return try interpreter.isTrue(value)
        }

        private func mismatch(_ index: Int, _ expected: String, _ value: Value) -> TemplateError {
            TemplateError(
                .value, "the argument \"\(parameters[index])\" of \(function) is \(expected), not \(value.typeName)")
        }
    }
}
