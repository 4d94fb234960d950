/// `tojson` as transformers defines it: `json.dumps` with readable characters and the order of keys kept.
enum JSONFilter {
    @Sendable static func apply(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["ensure_ascii", "indent", "separators", "sort_keys"], of: "tojson")
        var writer = JSONWriter(interpreter: interpreter)
        writer.ensuresASCII = try bound.isTrue(0, default: false, interpreter)
        writer.sortsKeys = try bound.isTrue(3, default: false, interpreter)
        switch bound[1] {
        case nil, .some(.none): break
        case .string(let text):
            writer.indentation = text
            writer.itemSeparator = ","
        default:
            let width = max(0, try bound.integer(1))
            try interpreter.check(characters: width)
            writer.indentation = Text(Array(repeating: " ", count: width))
            writer.itemSeparator = ","
        }
        if let separators = bound[2] {
            switch separators {
            case .none: break
            case .list(let pair), .tuple(let pair):
                guard pair.items.count == 2, case .string(let item) = pair.items[0],
                    case .string(let key) = pair.items[1]
                else { throw TemplateError(.value, "the separators of tojson are two strings") }
                (writer.itemSeparator, writer.keySeparator) = (item, key)
            default: throw TemplateError(.value, "the separators of tojson are two strings")
            }
        }
        try writer.write(value)
        return .string(writer.text)
    }
}
