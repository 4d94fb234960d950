/// The JSON that people's scripts read: numbers as the shortest text that reads back, texts with the usual escapes.
public enum JSONText {
    /// The shortest text that reads back as the same binary32; nil if the value is not finite.
    ///
    /// Whole numbers are written without a fraction.
    public static func number(_ value: Float) -> String? {
        guard value.isFinite else { return nil }
        return whole(Double(value), below: 0x1p24) ?? "\(value)"
    }

    /// A metric: whole numbers exactly, everything else as the shortest text of the same binary32.
    ///
    /// Counters of tokens and FLOPs are whole and pass 2^24, where binary32 would round them; a mean or a time has no
    /// more than seven digits to say. A value beyond binary32 keeps its binary64 text. Nil if it is not finite.
    public static func metric(_ value: Double) -> String? {
        guard value.isFinite else { return nil }
        if let text = whole(value, below: 0x1p53) { return text }
        let narrow = Float(value)
        return narrow.isFinite && narrow != 0 ? "\(narrow)" : "\(value)"
    }

    /// A moment, in seconds since 1970 with milliseconds.
    public static func time(_ seconds: Double) -> String? {
        guard seconds.isFinite else { return nil }
        return "\((seconds * 1000).rounded() / 1000)"
    }

    /// A text in quotes.
    public static func string(_ text: String) -> String {
        var result = ""
        write(text, into: &result)
        return result
    }

    /// Appends a text in quotes.
    public static func write(_ text: String, into result: inout String) {
        result += "\""
        // Nearly every text needs no escape; it is appended whole.
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }) {
            result += text
        } else {
            for scalar in text.unicodeScalars { write(scalar, into: &result) }
        }
        result += "\""
    }

    private static func write(_ scalar: Unicode.Scalar, into result: inout String) {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case _ where scalar.value < 0x20:
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }

    /// Ids with commas between them, for a list that is built as text.
    public static func list(_ values: [Int32]) -> String { values.map(String.init).joined(separator: ",") }

    /// Numbers with commas between them; one that is not finite becomes null.
    public static func list(_ values: [Float]) -> String {
        values.map { number($0) ?? "null" }.joined(separator: ",")
    }

    private static func whole(_ value: Double, below bound: Double) -> String? {
        guard value.magnitude < bound, value == value.rounded() else { return nil }
        return String(Int64(value))
    }
}
