import EnvironmentKit
import JSON
import RunConfiguration

extension EnvironmentSection {
    /// The options as the environment reads them.
    public var environmentOptions: EnvironmentOptions {
        JSONValue(options).object?.dictionary ?? [:]
    }
}

extension JSONValue {
    init(_ node: ConfigurationNode) {
        switch node.value {
        case .table(let table):
            self = .object(
                JSONObject(table.keys.compactMap { key in table[key].map { JSONMember(key, JSONValue($0)) } }))
        case .list(let items): self = .array(items.map(JSONValue.init))
        case .text(let text): self = .string(text)
        case .integer(let integer): self = .integer(Int(integer))
        case .number(let number): self = .number(number)
        case .flag(let flag): self = .bool(flag)
        }
    }
}
