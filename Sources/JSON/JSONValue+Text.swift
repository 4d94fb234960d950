extension JSONValue {
    /// One line in the order of the members, without spaces.
    ///
    /// A number that JSON cannot express becomes null.
    public var line: String {
        var text = ""
        writeLine(into: &text, sorted: false)
        return text
    }

    /// One line with names sorted by bytes, no spaces and shortest numbers: the same value is always the same text.
    public var canonicalText: String {
        var text = ""
        writeLine(into: &text, sorted: true)
        return text
    }

    /// The document as indented text, two spaces a level, with a final newline, as Hugging Face writes its files.
    public var indentedText: String {
        var text = ""
        writeIndented(into: &text, indentation: 0)
        return text + "\n"
    }

    private func writeLine(into text: inout String, sorted: Bool) {
        switch self {
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += "," }
                element.writeLine(into: &text, sorted: sorted)
            }
            text += "]"
        case .object(let object):
            text += "{"
            for (index, member) in (sorted ? object.sorted : object).enumerated() {
                if index > 0 { text += "," }
                JSONText.write(member.name, into: &text)
                text += ":"
                member.value.writeLine(into: &text, sorted: sorted)
            }
            text += "}"
        default: writeScalar(into: &text)
        }
    }

    private func writeIndented(into text: inout String, indentation: Int) {
        let inner = "\n" + String(repeating: " ", count: indentation + 2)
        let outer = "\n" + String(repeating: " ", count: indentation)
        switch self {
        case .array(let elements) where !elements.isEmpty:
            text += "["
            for (index, element) in elements.enumerated() {
                text += index == 0 ? inner : "," + inner
                element.writeIndented(into: &text, indentation: indentation + 2)
            }
            text += outer + "]"
        case .object(let object) where !object.isEmpty:
            text += "{"
            for (index, member) in object.enumerated() {
                text += index == 0 ? inner : "," + inner
                JSONText.write(member.name, into: &text)
                text += ": "
                member.value.writeIndented(into: &text, indentation: indentation + 2)
            }
            text += outer + "}"
        default: writeLine(into: &text, sorted: false)
        }
    }

    private func writeScalar(into text: inout String) {
        switch self {
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value) where value.isFinite: text += "\(value)"
        case .string(let value): JSONText.write(value, into: &text)
        default: text += "null"
        }
    }
}
