extension JSONValue {
    /// A whole number.
    public static func integer(_ value: Int) -> JSONValue { .number(String(value)) }

    /// A binary64 number as the shortest text that reads back as the same value.
    ///
    /// - Precondition: `value` is finite; JSON has no text for anything else.
    public static func double(_ value: Double) -> JSONValue {
        precondition(value.isFinite, "JSON cannot hold \(value)")
        return .number("\(value)")
    }

    /// The document as indented text, two spaces a level, as Hugging Face writes its configuration files.
    public var text: String {
        var output = ""
        write(to: &output, indentation: 0)
        return output + "\n"
    }

    private func write(to output: inout String, indentation: Int) {
        let inner = String(repeating: " ", count: indentation + 2)
        let outer = String(repeating: " ", count: indentation)
        switch self {
        case .null: output += "null"
        case .bool(let value): output += value ? "true" : "false"
        case .number(let text): output += text
        case .string(let text): JSONValue.writeString(text, to: &output)
        case .array(let elements):
            if elements.isEmpty {
                output += "[]"
                return
            }
            output += "["
            for (index, element) in elements.enumerated() {
                output += index == 0 ? "\n\(inner)" : ",\n\(inner)"
                element.write(to: &output, indentation: indentation + 2)
            }
            output += "\n\(outer)]"
        case .object(let members):
            if members.isEmpty {
                output += "{}"
                return
            }
            output += "{"
            for (index, member) in members.enumerated() {
                output += index == 0 ? "\n\(inner)" : ",\n\(inner)"
                JSONValue.writeString(member.name, to: &output)
                output += ": "
                member.value.write(to: &output, indentation: indentation + 2)
            }
            output += "\n\(outer)}"
        }
    }

    /// Appends `text` as a JSON string with its quotes.
    static func writeString(_ text: String, to output: inout String) {
        output += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }
}
