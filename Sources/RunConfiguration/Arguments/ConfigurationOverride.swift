/// One `--section.key value` of a command line.
public struct ConfigurationOverride: Sendable, Equatable {
    /// The key from the outermost table inwards, in snake case.
    public var path: [String]
    /// The value exactly as typed.
    public var value: String

    /// An override from the option's name (without dashes) and its value.
    ///
    /// Kebab case becomes snake case: `--training.learning-rate` is `training.learning_rate`.
    public init(name: String, value: String) throws(ConfigurationError) {
        path = name.split(separator: ".", omittingEmptySubsequences: false).map { String($0.replacing("-", with: "_")) }
        guard path.count >= 2, path.count <= 8, path.allSatisfy({ !$0.isEmpty }) else {
            throw ConfigurationError("--\(name.prefix(80))", "an override is written --section.key value")
        }
        self.value = value
    }

    /// The override as a layer over the run files.
    ///
    /// The value is read as TOML where it is TOML (numbers, true, lists, inline tables), and is a text otherwise, so
    /// that `--network.host 127.0.0.1` needs no quotes.
    public var node: ConfigurationNode {
        let origin = ConfigurationOrigin(source: "--\(path.joined(separator: "."))", argument: value)
        let parsed = (try? ConfigurationNode(toml: "value = \(value)\n", source: "argument"))
        var node = ConfigurationNode(.text(value), origin: origin)
        if let table = parsed?.table, table.keys == ["value"], let member = table["value"] {
            node = ConfigurationNode(member.value, origin: origin)
        }
        for key in path.reversed() {
            var table = ConfigurationTable()
            table[key] = node
            node = ConfigurationNode(.table(table), origin: origin)
        }
        return node
    }
}
