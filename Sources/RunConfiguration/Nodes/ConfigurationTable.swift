/// A table that remembers the order in which its keys were added.
public struct ConfigurationTable: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    /// The keys, in order.
    public private(set) var keys: [String] = []
    private var members: [String: ConfigurationNode] = [:]

    /// A table from pairs; of duplicate keys the last wins.
    public init(dictionaryLiteral elements: (String, ConfigurationNode)...) {
        for (key, node) in elements { self[key] = node }
    }

    /// The value of a key; setting nil removes it.
    public subscript(key: String) -> ConfigurationNode? {
        get { members[key] }
        set {
            if members[key] == nil, newValue != nil { keys.append(key) }
            if newValue == nil { keys.removeAll { $0 == key } }
            members[key] = newValue
        }
    }

    /// Tables are equal if they hold the same, in whatever order.
    public static func == (left: ConfigurationTable, right: ConfigurationTable) -> Bool {
        left.members == right.members
    }
}
