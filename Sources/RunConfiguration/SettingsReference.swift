extension ConfigurationSection {
    /// Every key with its kind, default and meaning, as Markdown; the page in `docs/` is this text, and a test says so.
    public static var reference: String {
        let defaults = Self().node
        return fields.map { field in
            var text = "## `[\(field.key)]`\n\n\(field.summary)\n\n"
            text += "| key | default | values | meaning |\n|---|---|---|---|\n"
            text += rows(field.nested, defaults: defaults[field.key], prefix: "")
            return text
        }.joined(separator: "\n")
    }

    private static func rows(
        _ fields: [FieldDescription], defaults: ConfigurationNode?, prefix: String
    ) -> String {
        fields.map { field in
            let value = defaults?[field.key]
            guard field.nested.isEmpty else {
                return rows(field.nested, defaults: value, prefix: "\(prefix)\(field.key).")
            }
            let shown = value.map { "`\($0.inlineTOML)`" } ?? "none"
            return "| `\(prefix)\(field.key)` | \(shown) | \(field.kind) | \(field.summary) |\n"
        }.joined()
    }
}
