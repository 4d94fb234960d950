/// One value of a run file with the place where it was written.
///
/// Everything downstream of the parser works on this type: layers are merged as nodes, overrides are nodes, and the
/// strict decoder names a node's origin when it refuses it.
public struct ConfigurationNode: Sendable, Equatable {
    /// What was written.
    public indirect enum Value: Sendable, Equatable {
        /// A table of further values.
        case table(ConfigurationTable)
        /// A list.
        case list([ConfigurationNode])
        /// A text.
        case text(String)
        /// A whole number.
        case integer(Int64)
        /// A number with a fraction or an exponent.
        case number(Double)
        /// True or false.
        case flag(Bool)
    }

    /// What was written.
    public var value: Value
    /// Where it was written; nil for values made in code.
    public var origin: ConfigurationOrigin?

    /// A value with its place.
    public init(_ value: Value, origin: ConfigurationOrigin? = nil) {
        self.value = value
        self.origin = origin
    }

    /// Nodes are equal if they say the same, wherever they were written.
    public static func == (left: ConfigurationNode, right: ConfigurationNode) -> Bool { left.value == right.value }

    /// The table, nil of anything else.
    public var table: ConfigurationTable? {
        if case .table(let table) = value { return table }
        return nil
    }

    /// The text, nil of anything else.
    public var text: String? {
        if case .text(let text) = value { return text }
        return nil
    }

    /// The member of a table, nil if there is none.
    public subscript(key: String) -> ConfigurationNode? { table?[key] }

    /// What people call this kind of value.
    public var kind: String {
        switch value {
        case .table: return "a table"
        case .list: return "a list"
        case .text: return "a text"
        case .integer: return "an integer"
        case .number: return "a number"
        case .flag: return "true or false"
        }
    }

    /// This value with another one laid over it: tables merge deeply, everything else is replaced whole.
    public func overlaid(with upper: ConfigurationNode) -> ConfigurationNode {
        guard case .table(var merged) = value, case .table(let above) = upper.value else { return upper }
        for key in above.keys {
            guard let member = above[key] else { continue }
            merged[key] = merged[key]?.overlaid(with: member) ?? member
        }
        return ConfigurationNode(.table(merged), origin: upper.origin ?? origin)
    }

    /// Layers composed from left to right; an empty table if there are none.
    public static func composed(_ layers: [ConfigurationNode]) -> ConfigurationNode {
        layers.reduce(ConfigurationNode(.table([:]))) { $0.overlaid(with: $1) }
    }
}

/// Where a value was written.
public struct ConfigurationOrigin: Sendable, Equatable, CustomStringConvertible {
    /// The file, or a name for what is no file, such as "defaults of digit-sort".
    public var source: String
    /// The line in the file, from 1.
    public var line: Int?
    /// For a value from the command line, the argument exactly as typed.
    public var argument: String?

    /// An origin from its parts.
    public init(source: String, line: Int? = nil, argument: String? = nil) {
        self.source = source
        self.line = line
        self.argument = argument
    }

    /// `file:line`.
    public var description: String { line.map { "\(source):\($0)" } ?? source }
}
