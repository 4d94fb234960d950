import EnvironmentKit
import RunConfiguration

extension EnvironmentSection {
    /// The options as the environment reads them.
    public var environmentOptions: EnvironmentOptions {
        guard case .object(let members) = JSONValue(options) else { return [:] }
        return members
    }
}

extension JSONValue {
    init(_ node: ConfigurationNode) {
        switch node.value {
        case .table(let table):
            var members: [String: JSONValue] = [:]
            for key in table.keys { if let value = table[key] { members[key] = JSONValue(value) } }
            self = .object(members)
        case .list(let items): self = .array(items.map(JSONValue.init))
        case .text(let text): self = .string(text)
        case .integer(let integer): self = .integer(integer)
        case .number(let number): self = .number(number)
        case .flag(let flag): self = .bool(flag)
        }
    }
}
