/// `find`, `index`, `count` of Python's `str`.
enum SearchMethods {
    static let find: StringMethods.Body = { text, interpreter, arguments throws(TemplateError) in
        .integer(try place(text, arguments, "find", fromEnd: false) ?? -1)
    }

    static let findLast: StringMethods.Body = { text, interpreter, arguments throws(TemplateError) in
        .integer(try place(text, arguments, "rfind", fromEnd: true) ?? -1)
    }

    static let index: StringMethods.Body = { text, interpreter, arguments throws(TemplateError) in
        guard let place = try place(text, arguments, "index", fromEnd: false) else { throw notFound }
        return .integer(place)
    }

    static let indexLast: StringMethods.Body = { text, interpreter, arguments throws(TemplateError) in
        guard let place = try place(text, arguments, "rindex", fromEnd: true) else { throw notFound }
        return .integer(place)
    }

    static let count: StringMethods.Body = { text, interpreter, arguments throws(TemplateError) in
        let bound = try arguments.bound(to: ["sub", "start", "end"], of: "count")
        let part = try bound.text(0)
        guard let range = try range(of: text, bound) else { return .integer(0) }
        return .integer(part.isEmpty ? range.count + 1 : text[range].indices(of: part, limit: .max).count)
    }

    private static var notFound: TemplateError { TemplateError(.value, "the substring was not found") }

    private static func place(
        _ text: Text, _ arguments: Arguments, _ name: String, fromEnd: Bool
    ) throws(TemplateError) -> Int? {
        let bound = try arguments.bound(to: ["sub", "start", "end"], of: name)
        let part = try bound.text(0)
        guard let range = try range(of: text, bound) else { return nil }
        let searched = text[range]
        guard fromEnd else { return searched.firstIndex(of: part).map { $0 + range.lowerBound } }
        guard let distance = searched.reversed.firstIndex(of: part.reversed) else { return nil }
        return range.upperBound - distance - part.count
    }

    /// The range of the arguments "start" and "end", which count from the back where negative; nil where it is none.
    static func range(of text: Text, _ bound: Arguments.Bound) throws(TemplateError) -> Range<Int>? {
        func clamped(_ index: Int, default fallback: Int) throws(TemplateError) -> Int {
            guard let value = bound[index] else { return fallback }
            if case .none = value { return fallback }
            let place = try bound.integer(index)
            return place < 0 ? max(0, max(place, -text.count) + text.count) : place
        }
        let start = try clamped(1, default: 0)
        let end = min(text.count, try clamped(2, default: text.count))
        return start <= end ? start..<end : nil
    }
}
