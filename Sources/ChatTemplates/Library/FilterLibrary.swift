/// A filter: a value and further arguments in, a value out.
typealias Filter = @Sendable (Value, Interpreter, Arguments) throws(TemplateError) -> Value

/// The filters of Jinja and transformers.
enum FilterLibrary {
    /// The filters that are supported.
    static var names: [String] { Array(table.keys) }

    static func isKnown(_ name: String) -> Bool { table[name] != nil || unsupported.contains(name) }

    static func apply(
        _ name: String, to value: Value, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws(TemplateError) -> Value {
        guard let filter = table[name] else {
            guard unsupported.contains(name) else {
                throw TemplateError(.value, "no filter named \"\(name.prefix(40))\"")
            }
            throw TemplateError(.unsupported, "the filter \"\(name)\" is not supported")
        }
        return try filter(value, interpreter, arguments)
    }

    /// What Jinja has and no chat template needs.
    private static let unsupported: Set<String> = [
        "filesizeformat", "pprint", "random", "striptags", "urlencode", "urlize", "wordwrap", "xmlattr",
    ]

    private static let table: [String: Filter] = [
        // Texts
        "capitalize": { value, interpreter, arguments throws(TemplateError) in
            try text(value, interpreter, arguments, "capitalize") { $0.capitalized.marked(as: $0) }
        },
        "lower": { value, interpreter, arguments throws(TemplateError) in
            try text(value, interpreter, arguments, "lower") { $0.lowercased.marked(as: $0) }
        },
        "upper": { value, interpreter, arguments throws(TemplateError) in
            try text(value, interpreter, arguments, "upper") { $0.uppercased.marked(as: $0) }
        },
        "title": { value, interpreter, arguments throws(TemplateError) in
            try text(value, interpreter, arguments, "title", TextFilters.title)
        },
        "string": { value, interpreter, arguments throws(TemplateError) in
            try text(value, interpreter, arguments, "string") { $0 }
        },
        "trim": TextFilters.trim, "replace": TextFilters.replace, "indent": TextFilters.indent,
        "center": TextFilters.center, "truncate": TextFilters.truncate, "format": TextFilters.format,
        "wordcount": TextFilters.wordCount, "safe": TextFilters.safe, "escape": TextFilters.escape,
        "e": TextFilters.escape, "forceescape": TextFilters.forceEscape, "tojson": JSONFilter.apply,
        // Numbers
        "abs": NumberFilters.absolute, "int": NumberFilters.integer, "float": NumberFilters.float,
        "round": NumberFilters.round, "sum": NumberFilters.sum,
        // Single values
        "default": ValueFilters.fallback, "d": ValueFilters.fallback, "attr": ValueFilters.attribute,
        "length": ValueFilters.length, "count": ValueFilters.length, "first": ValueFilters.first,
        "last": ValueFilters.last, "min": ValueFilters.minimum, "max": ValueFilters.maximum,
        "items": ValueFilters.items,
        // Lists
        "join": ListFilters.join, "list": ListFilters.list, "reverse": ListFilters.reverse,
        "sort": ListFilters.sort, "dictsort": ListFilters.sortDictionary, "unique": ListFilters.unique,
        "batch": ListFilters.batch, "slice": ListFilters.slice, "groupby": ListFilters.group,
        "map": SelectionFilters.map, "select": SelectionFilters.select, "reject": SelectionFilters.reject,
        "selectattr": SelectionFilters.selectAttribute, "rejectattr": SelectionFilters.rejectAttribute,
    ]

    /// A filter on the text of any value, without arguments.
    private static func text(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments, _ name: String,
        _ transform: (Text) -> Text
    ) throws(TemplateError) -> Value {
        _ = try arguments.bound(to: [], of: name)
        let text = try interpreter.string(value)
        try interpreter.check(characters: text.count)
        return .string(transform(text))
    }
}
