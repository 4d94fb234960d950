/// The `attribute` of filters such as `map`: names and indices with dots between them.
struct AttributePath {
    private let parts: [Value]

    /// - Parameter value: a text or an index; nothing stands for the item itself.
    init(_ value: Value?, _ interpreter: Interpreter) throws(TemplateError) {
        guard let value else {
            parts = []
            return
        }
        switch value {
        case .none: parts = []
        case .string(let text):
            try interpreter.spend(text.count)
            parts = try AttributePath.parts(of: text)
        default: parts = [value]
        }
    }

    /// The paths of a text with commas between them, as `sort` takes.
    static func paths(_ value: Value?, _ interpreter: Interpreter) throws(TemplateError) -> [AttributePath] {
        guard case .string(let text) = value else { return [try AttributePath(value, interpreter)] }
        var paths: [AttributePath] = []
        for part in text.split(by: ",", limit: .max) { paths.append(try AttributePath(.string(part), interpreter)) }
        return paths
    }

    private static func parts(of text: Text) throws(TemplateError) -> [Value] {
        var parts: [Value] = []
        for part in text.split(by: ".", limit: .max) {
            let isIndex = part.isMade { $0.isASCIIDigit }
            if isIndex, let index = Int(part.string) {
                parts.append(.integer(index))
            } else {
                parts.append(.string(part))
            }
        }
        return parts
    }

    /// What the path leads to; `fallback` replaces what is undefined on the way.
    func value(in item: Value, _ interpreter: Interpreter, default fallback: Value? = nil) throws(TemplateError)
        -> Value
    {
        var value = item
        for part in parts {
            value = try interpreter.item(part, of: value)
            if value.isUndefined, let fallback { value = fallback }
        }
        return value
    }
}
