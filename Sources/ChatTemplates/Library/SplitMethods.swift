/// `split`, `partition` and the like of Python's `str`.
enum SplitMethods {
    static let split: StringMethods.Body = { text, interpreter, arguments throws(TemplateError) in
        try pieces(text, interpreter, arguments, "split", fromEnd: false)
    }

    static let splitFromEnd: StringMethods.Body = { text, interpreter, arguments throws(TemplateError) in
        try pieces(text, interpreter, arguments, "rsplit", fromEnd: true)
    }

    private static func pieces(
        _ text: Text, _ interpreter: Interpreter, _ arguments: Arguments, _ name: String, fromEnd: Bool
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["sep", "maxsplit"], of: name)
        let cuts = try bound.integer(1, default: -1)
        let limit = cuts < 0 ? Int.max : cuts
        let pieces: [Text]
        if let separator = try bound.optionalText(0) {
            guard !separator.isEmpty else { throw TemplateError(.value, "\(name) needs a separator that is not empty") }
            pieces =
                fromEnd
                ? text.splitFromEnd(by: separator, limit: limit) : text.split(by: separator, limit: limit)
        } else {
            pieces = text.words(limit: limit, fromEnd: fromEnd)
        }
        try interpreter.spend(elements: pieces.count)
        return .list(pieces.map { .string($0) })
    }

    static let lines: StringMethods.Body = { text, interpreter, arguments throws(TemplateError) in
        let bound = try arguments.bound(to: ["keepends"], of: "splitlines")
        let lines = text.lines(keepingEnds: try bound.isTrue(0, default: false, interpreter))
        try interpreter.spend(elements: lines.count)
        return .list(lines.map { .string($0) })
    }

    static let partition: StringMethods.Body = { text, _, arguments throws(TemplateError) in
        let separator = try separator(arguments, "partition")
        guard let place = text.firstIndex(of: separator) else { return parts(text, "", "") }
        return parts(text[0..<place], separator, text[(place + separator.count)..<text.count])
    }

    static let partitionFromEnd: StringMethods.Body = { text, _, arguments throws(TemplateError) in
        let separator = try separator(arguments, "rpartition")
        guard let distance = text.reversed.firstIndex(of: separator.reversed) else { return parts("", "", text) }
        let place = text.count - distance - separator.count
        return parts(text[0..<place], separator, text[(place + separator.count)..<text.count])
    }

    private static func separator(_ arguments: Arguments, _ name: String) throws(TemplateError) -> Text {
        let separator = try arguments.bound(to: ["sep"], of: name).text(0)
        guard !separator.isEmpty else { throw TemplateError(.value, "\(name) needs a separator that is not empty") }
        return separator
    }

    private static func parts(_ before: Text, _ separator: Text, _ after: Text) -> Value {
        .tuple([.string(before), .string(separator), .string(after)])
    }
}
