extension ConfigurationField {
    /// An integer within a range.
    public static func integer(
        _ key: String, _ path: SectionPath<Section, Int>, _ range: ClosedRange<Int>, _ summary: String
    ) -> ConfigurationField {
        ConfigurationField(
            key, path, kind: "an integer from \(range.lowerBound) to \(range.upperBound)", summary,
            read: { node in
                guard let integer = node.integer.flatMap(Int.init(exactly:)), range.contains(integer) else {
                    return nil
                }
                return integer
            },
            write: { ConfigurationNode(.integer(Int64($0))) })
    }

    /// A seed: any integer from 0.
    public static func seed(
        _ key: String, _ path: SectionPath<Section, UInt64>, _ summary: String
    ) -> ConfigurationField {
        ConfigurationField(
            key, path, kind: "an integer from 0", summary,
            read: { $0.integer.flatMap(UInt64.init(exactly:)) },
            write: { ConfigurationNode(.integer(Int64(clamping: $0))) })
    }

    /// A number within a range; an integer is a number too.
    public static func number(
        _ key: String, _ path: SectionPath<Section, Double>, _ range: ClosedRange<Double>,
        _ summary: String
    ) -> ConfigurationField {
        ConfigurationField(
            key, path, kind: "a number from \(range.lowerBound) to \(range.upperBound)", summary,
            read: { node in node.double.flatMap { range.contains($0) ? $0 : nil } },
            write: { ConfigurationNode(.number($0)) })
    }

    /// A list of a fixed count of numbers within a range.
    public static func numbers(
        _ key: String, _ path: SectionPath<Section, [Double]>, count: Int, _ range: ClosedRange<Double>,
        _ summary: String
    ) -> ConfigurationField {
        ConfigurationField(
            key, path, kind: "a list of \(count) numbers from \(range.lowerBound) to \(range.upperBound)", summary,
            read: { node in
                guard case .list(let elements) = node.value else { return nil }
                let numbers = elements.compactMap(\.double).filter(range.contains)
                return numbers.count == count && elements.count == count ? numbers : nil
            },
            write: { ConfigurationNode(.list($0.map { ConfigurationNode(.number($0)) })) })
    }

    /// True or false.
    public static func flag(
        _ key: String, _ path: SectionPath<Section, Bool>, _ summary: String
    ) -> ConfigurationField {
        ConfigurationField(
            key, path, kind: "true or false", summary,
            read: { node in
                if case .flag(let flag) = node.value { return flag }
                return nil
            },
            write: { ConfigurationNode(.flag($0)) })
    }

    /// A text.
    public static func text(
        _ key: String, _ path: SectionPath<Section, String>, _ summary: String
    ) -> ConfigurationField {
        ConfigurationField(
            key, path, kind: "a text", summary, read: { $0.typedText }, write: { ConfigurationNode(.text($0)) })
    }

    /// A text that may be absent; `"none"` removes what a lower layer has set.
    public static func optionalText(
        _ key: String, _ path: SectionPath<Section, String?>, _ summary: String
    ) -> ConfigurationField {
        ConfigurationField(
            key, path, kind: "a text, or \"none\"", summary,
            read: { node -> String?? in
                guard let text = node.typedText else { return nil }
                return .some(text.lowercased() == "none" ? nil : text)
            },
            write: { $0.map { ConfigurationNode(.text($0)) } })
    }

    /// A list of texts.
    public static func texts(
        _ key: String, _ path: SectionPath<Section, [String]>, _ summary: String
    ) -> ConfigurationField {
        ConfigurationField(
            key, path, kind: "a list of texts", summary,
            read: { node in
                guard case .list(let elements) = node.value else { return nil }
                let texts = elements.compactMap(\.text)
                return texts.count == elements.count ? texts : nil
            },
            write: { ConfigurationNode(.list($0.map { ConfigurationNode(.text($0)) })) })
    }

    /// One of a few words.
    public static func choice<Choice>(
        _ key: String, _ path: SectionPath<Section, Choice>, _ summary: String
    ) -> ConfigurationField where Choice: RawRepresentable<String> & CaseIterable & Sendable {
        ConfigurationField(
            key, path, kind: Self.alternatives(of: Choice.self), summary,
            read: { $0.typedText.flatMap(Choice.init(rawValue:)) },
            write: { ConfigurationNode(.text($0.rawValue)) })
    }

    /// One of a few words, or absent; `"none"` removes what a lower layer has set.
    public static func optionalChoice<Choice>(
        _ key: String, _ path: SectionPath<Section, Choice?>, _ summary: String
    ) -> ConfigurationField where Choice: RawRepresentable<String> & CaseIterable & Sendable {
        ConfigurationField(
            key, path, kind: Self.alternatives(of: Choice.self), summary,
            read: { node -> Choice?? in
                guard let word = node.typedText else { return nil }
                if word.lowercased() == "none" { return .some(nil) }
                return Choice(rawValue: word).map { .some($0) }
            },
            write: { $0.map { ConfigurationNode(.text($0.rawValue)) } })
    }

    /// A table that others interpret, such as the options of an environment.
    public static func freeTable(
        _ key: String, _ path: SectionPath<Section, ConfigurationNode>, _ summary: String
    ) -> ConfigurationField {
        ConfigurationField(
            key, path, kind: "a table", summary, read: { $0.table == nil ? nil : $0 },
            write: { $0.table?.keys.isEmpty == false ? $0 : nil })
    }

    private static func alternatives<Choice: RawRepresentable<String> & CaseIterable>(of type: Choice.Type) -> String {
        "one of " + type.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    }
}

extension ConfigurationNode {
    /// The integer, nil of anything else.
    public var integer: Int64? {
        if case .integer(let integer) = value { return integer }
        return nil
    }

    /// The number, integers included; nil of anything else.
    public var double: Double? {
        switch value {
        case .integer(let integer): return Double(integer)
        case .number(let number): return number
        default: return nil
        }
    }

    /// The text, or what was typed.
    ///
    /// An argument such as `--run.name 2026` is a text although it looks like an integer.
    var typedText: String? {
        if case .text(let text) = value { return text }
        switch value {
        case .table, .list: return nil
        default: return origin?.argument
        }
    }
}
