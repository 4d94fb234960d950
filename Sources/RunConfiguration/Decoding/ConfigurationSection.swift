/// A table of a run file as a Swift type: its fields are written down once, and that one list decodes, encodes,
/// explains and checks the table.
public protocol ConfigurationSection: Sendable, Equatable {
    /// Every field at its default.
    init()

    /// The fields, in the order in which people should read them.
    static var fields: [ConfigurationField<Self>] { get }
}

extension ConfigurationSection {
    /// Decodes a table strictly: unknown keys, wrong types and values out of range are problems, all of them listed.
    ///
    /// - Parameters:
    ///   - node: The table; keys that it lacks keep their values in `self`.
    ///   - path: The table's own key, for messages.
    ///   - problems: Grows by what is wrong.
    public mutating func decode(_ node: ConfigurationNode, path: String, problems: inout [ConfigurationError.Problem]) {
        guard let table = node.table else {
            problems.append(.init(path, origin: node.origin, "this must be a table, not \(node.kind)"))
            return
        }
        for key in table.keys {
            guard let member = table[key] else { continue }
            let memberPath = path.isEmpty ? key : "\(path).\(key)"
            guard let field = Self.fields.first(where: { $0.key == key }) else {
                problems.append(
                    .init(memberPath, origin: member.origin, Self.unknown(key, in: path)))
                continue
            }
            field.decode(member, memberPath, &self, &problems)
        }
    }

    /// Every field as a table, in order; fields without a value are left out.
    public var node: ConfigurationNode {
        var table = ConfigurationTable()
        for field in Self.fields { table[field.key] = field.encode(self) }
        return ConfigurationNode(.table(table))
    }

    private static func unknown(_ key: String, in path: String) -> String {
        let what = path.isEmpty ? "section" : "key"
        let names = fields.map(\.key)
        if let nearest = nearestName(to: key, among: names) {
            return "there is no such \(what); did you mean \(nearest)?"
        }
        return "there is no such \(what); known are \(names.joined(separator: ", "))"
    }
}
