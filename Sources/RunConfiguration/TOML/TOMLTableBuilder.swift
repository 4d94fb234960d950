/// A table while a TOML text is read.
///
/// It knows how it came to be, because TOML allows a table to be written once only: headers may not open a table that
/// a header or dotted keys have written, and dotted keys may not reach into a table that a header has written.
final class TOMLTableBuilder {
    private enum Member {
        case value(ConfigurationNode)
        case table(TOMLTableBuilder)
        case elements([TOMLTableBuilder])
    }

    private enum Birth {
        /// Only named on the way to a table below it.
        case implied
        case header
        case dottedKeys
    }

    private let origin: ConfigurationOrigin
    private var birth: Birth
    private var keys: [String] = []
    private var members: [String: Member] = [:]

    init(origin: ConfigurationOrigin) {
        self.origin = origin
        birth = .header
    }

    private init(origin: ConfigurationOrigin, birth: Birth) {
        self.origin = origin
        self.birth = birth
    }

    /// Follows a header from the root and opens the table that it names.
    func open(
        _ path: [String], isElement: Bool, origin: ConfigurationOrigin
    ) throws(ConfigurationError) -> TOMLTableBuilder {
        guard let last = path.last else { return self }
        var table = self
        for part in path.dropLast() {
            table = try table.descend(into: part, birth: .implied, path: path, origin: origin)
        }
        let new = TOMLTableBuilder(origin: origin, birth: .header)
        switch table.members[last] {
        case nil: table.add(last, isElement ? .elements([new]) : .table(new))
        case .elements(let elements) where isElement: table.members[last] = .elements(elements + [new])
        case .table(let existing) where !isElement && existing.birth == .implied:
            existing.birth = .header
            return existing
        default: throw Self.twice(path, origin)
        }
        return new
    }

    /// Sets a dotted key.
    func assign(_ node: ConfigurationNode, to path: [String], origin: ConfigurationOrigin) throws(ConfigurationError) {
        guard let last = path.last else { return }
        var table = self
        for part in path.dropLast() {
            if case .table(let existing) = table.members[part], existing.birth != .dottedKeys {
                throw Self.twice(path, origin)
            }
            if case .elements = table.members[part] { throw Self.twice(path, origin) }
            table = try table.descend(into: part, birth: .dottedKeys, path: path, origin: origin)
        }
        guard table.members[last] == nil else { throw Self.twice(path, origin) }
        table.add(last, .value(ConfigurationNode(node.value, origin: origin)))
    }

    /// The finished table.
    var node: ConfigurationNode {
        var table = ConfigurationTable()
        for key in keys {
            switch members[key] {
            case .value(let node): table[key] = node
            case .table(let builder): table[key] = builder.node
            case .elements(let builders): table[key] = ConfigurationNode(.list(builders.map(\.node)), origin: origin)
            case nil: break
            }
        }
        return ConfigurationNode(.table(table), origin: origin)
    }

    private func descend(
        into part: String, birth: Birth, path: [String], origin: ConfigurationOrigin
    ) throws(ConfigurationError) -> TOMLTableBuilder {
        switch members[part] {
        case .table(let existing): return existing
        case .elements(let elements):
            guard let last = elements.last else { throw Self.twice(path, origin) }
            return last
        case .value: throw Self.twice(path, origin)
        case nil:
            let new = TOMLTableBuilder(origin: origin, birth: birth)
            add(part, .table(new))
            return new
        }
    }

    private func add(_ key: String, _ member: Member) {
        keys.append(key)
        members[key] = member
    }

    private static func twice(_ path: [String], _ origin: ConfigurationOrigin) -> ConfigurationError {
        ConfigurationError(path.joined(separator: "."), origin: origin, "this key or table is written twice")
    }
}
