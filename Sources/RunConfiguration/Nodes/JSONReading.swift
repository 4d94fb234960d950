import Foundation

extension ConfigurationNode {
    /// Reads the JSON that `run.json` holds, so that a run can be started again from it.
    init(json: String, source: String) throws(ConfigurationError) {
        let origin = ConfigurationOrigin(source: source)
        guard json.utf8.count <= Self.maximumFileBytes else {
            throw ConfigurationError("", origin: origin, "the file is larger than \(Self.maximumFileBytes) bytes")
        }
        do {
            let tree = try JSONDecoder().decode(JSONTree.self, from: Data(json.utf8))
            self = try tree.node(origin)
        } catch {
            throw ConfigurationError("", origin: origin, "this is not the JSON of a run file")
        }
    }
}

/// The bridge through Foundation's decoder.
private indirect enum JSONTree: Decodable {
    case object([String: JSONTree])
    case array([JSONTree])
    case flag(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case null

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let integer = try? container.decode(Int64.self) {
            self = .integer(integer)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let array = try? container.decode([JSONTree].self) {
            self = .array(array)
        } else {
            self = .object(try container.decode([String: JSONTree].self))
        }
    }

    func node(_ origin: ConfigurationOrigin) throws -> ConfigurationNode {
        switch self {
        case .object(let members):
            var table = ConfigurationTable()
            for key in members.keys.sorted() {
                guard let member = members[key] else { continue }
                if case .null = member { continue }
                table[key] = try member.node(origin)
            }
            return ConfigurationNode(.table(table), origin: origin)
        case .array(let elements):
            return ConfigurationNode(.list(try elements.map { try $0.node(origin) }), origin: origin)
        case .flag(let flag): return ConfigurationNode(.flag(flag), origin: origin)
        case .integer(let integer): return ConfigurationNode(.integer(integer), origin: origin)
        case .number(let number): return ConfigurationNode(.number(number), origin: origin)
        case .text(let text): return ConfigurationNode(.text(text), origin: origin)
        case .null: throw ConfigurationError("", origin: origin, "null has no meaning in a list")
        }
    }
}
