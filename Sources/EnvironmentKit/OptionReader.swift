import JSON

/// Reads the options of an environment strictly: a wrong type, a value out of range or an unknown name is an error.
///
///     var reader = OptionReader(options, of: Self.id)
///     digits = try reader.integer("digits", default: 2, in: 1...6)
///     try reader.finish()
public struct OptionReader {
    private let options: EnvironmentOptions
    private let owner: String
    private var known: [String] = []

    /// A reader of the options of an environment or a reward with this id.
    public init(_ options: EnvironmentOptions, of owner: String) {
        self.options = options
        self.owner = owner
    }

    /// An integer within a range.
    public mutating func integer(_ name: String, default value: Int, in range: ClosedRange<Int>) throws -> Int {
        guard let option = take(name) else { return value }
        guard case .integer(let wide) = option, let integer = Int(exactly: wide), range.contains(integer) else {
            throw wrong(name, option, "an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    /// A number within a range; integers are numbers too.
    public mutating func number(_ name: String, default value: Double, in range: ClosedRange<Double>) throws -> Double {
        guard let option = take(name) else { return value }
        guard let number = option.double, range.contains(number) else {
            throw wrong(name, option, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A text; without a default the option is required.
    public mutating func text(_ name: String, default value: String? = nil) throws -> String {
        guard let option = take(name) else {
            guard let value else {
                throw EnvironmentError(.option, at: owner, "the option \(name) is missing; it must be a text")
            }
            return value
        }
        guard case .string(let text) = option else { throw wrong(name, option, "a text") }
        return text
    }

    /// True or false.
    public mutating func flag(_ name: String, default value: Bool) throws -> Bool {
        guard let option = take(name) else { return value }
        guard case .bool(let flag) = option else { throw wrong(name, option, "true or false") }
        return flag
    }

    /// A list of texts.
    public mutating func texts(_ name: String, default value: [String]) throws -> [String] {
        guard let option = take(name) else { return value }
        guard case .array(let elements) = option else { throw wrong(name, option, "a list of texts") }
        return try elements.map { element in
            guard case .string(let text) = element else { throw wrong(name, option, "a list of texts") }
            return text
        }
    }

    /// A table of further options.
    public mutating func table(_ name: String) throws -> EnvironmentOptions {
        guard let option = take(name) else { return [:] }
        guard case .object(let members) = option else { throw wrong(name, option, "a table") }
        return members.dictionary
    }

    /// A table of further options whose order is kept.
    public mutating func object(_ name: String) throws -> JSONObject {
        guard let option = take(name) else { return JSONObject() }
        guard case .object(let members) = option else { throw wrong(name, option, "a table") }
        return members
    }

    /// Refuses options that nothing has asked for.
    public func finish() throws {
        let unknown = options.keys.filter { !known.contains($0) }.sorted()
        guard let first = unknown.first else { return }
        let valid = known.isEmpty ? "it has no options" : "its options are \(known.sorted().joined(separator: ", "))"
        throw EnvironmentError(.option, at: owner, "the option \(first) is unknown; \(valid)")
    }

    private mutating func take(_ name: String) -> JSONValue? {
        known.append(name)
        return options[name]
    }

    private func wrong(_ name: String, _ value: JSONValue, _ wanted: String) -> EnvironmentError {
        EnvironmentError(
            .option, at: owner, "the option \(name) must be \(wanted), not \(value.canonicalText.prefix(60))")
    }
}
