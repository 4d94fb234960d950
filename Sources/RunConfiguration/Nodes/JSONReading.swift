import JSON

extension ConfigurationNode {
    /// Reads the JSON that `run.json` holds, so that a run can be started again from it.
    init(json: String, source: String) throws(ConfigurationError) {
        let origin = ConfigurationOrigin(source: source)
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parse(json, maximumBytes: Self.maximumFileBytes)
        } catch {
            throw ConfigurationError("", origin: origin, "this is not the JSON of a run file: \(error)")
        }
        self = try ConfigurationNode(json: value, origin: origin)
    }

    private init(json value: JSONValue, origin: ConfigurationOrigin) throws(ConfigurationError) {
        switch value {
        case .object(let members):
            var table = ConfigurationTable()
            // An absent value is how a resolved run file says that an optional setting was not given.
            for member in members where member.value != .null {
                table[member.name] = try ConfigurationNode(json: member.value, origin: origin)
            }
            self = ConfigurationNode(.table(table), origin: origin)
        case .array(let elements):
            var items: [ConfigurationNode] = []
            for element in elements { items.append(try ConfigurationNode(json: element, origin: origin)) }
            self = ConfigurationNode(.list(items), origin: origin)
        case .bool(let flag): self = ConfigurationNode(.flag(flag), origin: origin)
        case .integer(let integer): self = ConfigurationNode(.integer(Int64(integer)), origin: origin)
        case .number(let number): self = ConfigurationNode(.number(number), origin: origin)
        case .string(let text): self = ConfigurationNode(.text(text), origin: origin)
        case .null: throw ConfigurationError("", origin: origin, "null has no meaning in a list")
        }
    }
}
