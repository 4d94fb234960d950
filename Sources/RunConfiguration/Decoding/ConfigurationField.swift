/// One key of a section: how it is decoded, encoded and explained.
public struct ConfigurationField<Section>: Sendable {
    /// The key in the file, in snake case.
    public let key: String
    /// The kind of value, for people: `integer, at least 1`.
    public let kind: String
    /// What the setting does, in one sentence.
    public let summary: String
    /// The fields of a nested section.
    let nested: [FieldDescription]

    let decode: @Sendable (ConfigurationNode, String, inout Section, inout [ConfigurationError.Problem]) -> Void
    let encode: @Sendable (Section) -> ConfigurationNode?

    var description: FieldDescription { FieldDescription(key: key, kind: kind, summary: summary, nested: nested) }

    /// A field of any type that can be read from and written to a node.
    init<Value>(
        _ key: String, _ path: SectionPath<Section, Value>, kind: String, _ summary: String,
        read: @escaping @Sendable (ConfigurationNode) -> Value?,
        write: @escaping @Sendable (Value) -> ConfigurationNode?
    ) {
        self.key = key
        self.kind = kind
        self.summary = summary
        nested = []
        decode = { node, name, section, problems in
            if let value = read(node) {
                section[keyPath: path] = value
            } else {
                problems.append(.init(name, origin: node.origin, "this must be \(kind), not \(node.shown)"))
            }
        }
        encode = { write($0[keyPath: path]) }
    }

    private init<Nested: ConfigurationSection>(
        section key: String, _ path: SectionPath<Section, Nested>, _ summary: String
    ) {
        self.key = key
        kind = "a table"
        self.summary = summary
        nested = Nested.fields.map(\.description)
        decode = { node, name, section, problems in
            section[keyPath: path].decode(node, path: name, problems: &problems)
        }
        encode = { $0[keyPath: path].node }
    }

    /// A table with fields of its own.
    public static func section<Nested: ConfigurationSection>(
        _ key: String, _ path: SectionPath<Section, Nested>, _ summary: String
    ) -> ConfigurationField {
        ConfigurationField(section: key, path, summary)
    }
}

extension ConfigurationNode {
    /// The value as people wrote it, shortened.
    var shown: String {
        switch value {
        case .table: return "a table"
        default:
            let text = origin?.argument ?? inlineTOML
            return text.count > 60 ? text.prefix(60) + "…" : text
        }
    }
}

/// Where in a section a field's value lives.
public typealias SectionPath<Section, Value> = any WritableKeyPath<Section, Value> & Sendable

/// What the reference of the settings says about a field.
struct FieldDescription: Sendable {
    let key: String
    let kind: String
    let summary: String
    let nested: [FieldDescription]
}
