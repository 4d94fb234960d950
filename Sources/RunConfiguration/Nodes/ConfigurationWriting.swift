extension ConfigurationNode {
    /// This value as JSON over several lines, keys in their order, floats as the shortest text that reads back.
    public var json: String { json(indent: "") }

    private func json(indent: String) -> String {
        let inner = indent + "  "
        switch value {
        case .table(let table):
            guard !table.keys.isEmpty else { return "{}" }
            let members = table.keys.compactMap { key in
                table[key].map { "\(inner)\(Self.quoted(key)): \($0.json(indent: inner))" }
            }
            return "{\n\(members.joined(separator: ",\n"))\n\(indent)}"
        case .list(let elements): return "[\(elements.map { $0.json(indent: inner) }.joined(separator: ", "))]"
        case .number(let number): return number.isFinite ? "\(number)" : "null"
        default: return scalar
        }
    }

    /// A table as TOML: scalars first, then one section for each table.
    public var toml: String {
        guard let table else { return inlineTOML + "\n" }
        var text = ""
        var sections = ""
        for key in table.keys {
            guard let member = table[key] else { continue }
            if case .table(let section) = member.value {
                sections += (text.isEmpty && sections.isEmpty ? "" : "\n") + "[\(Self.tomlKey(key))]\n"
                for name in section.keys {
                    if let entry = section[name] { sections += "\(Self.tomlKey(name)) = \(entry.inlineTOML)\n" }
                }
            } else {
                text += "\(Self.tomlKey(key)) = \(member.inlineTOML)\n"
            }
        }
        return text + sections
    }

    /// This value as the right side of a TOML assignment.
    var inlineTOML: String {
        switch value {
        case .table(let table):
            guard !table.keys.isEmpty else { return "{}" }
            let members = table.keys.compactMap { key in
                table[key].map { "\(Self.tomlKey(key)) = \($0.inlineTOML)" }
            }
            return "{ \(members.joined(separator: ", ")) }"
        case .list(let elements): return "[\(elements.map(\.inlineTOML).joined(separator: ", "))]"
        case .number(let number):
            guard number.isFinite else { return number.isNaN ? "nan" : number < 0 ? "-inf" : "inf" }
            return "\(number)"
        default: return scalar
        }
    }

    /// Texts, integers and flags look the same in JSON and in TOML.
    private var scalar: String {
        switch value {
        case .text(let text): return Self.quoted(text)
        case .integer(let integer): return String(integer)
        case .flag(let flag): return flag ? "true" : "false"
        case .number(let number): return "\(number)"
        case .table, .list: return ""
        }
    }

    private static func tomlKey(_ key: String) -> String {
        let bare =
            !key.isEmpty
            && key.utf8.allSatisfy {
                (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 45
            }
        return bare ? key : quoted(key)
    }

    /// A text in double quotes with the escapes that JSON and TOML share.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
