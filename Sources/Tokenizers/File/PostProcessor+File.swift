extension PostProcessor {
    /// Reads a `post_processor`; null puts nothing around a text.
    static func read(_ node: FileNode) throws(TokenizerError) -> PostProcessor {
        if node.isNull { return PostProcessor() }
        let templates = try readTemplates(node)
        guard templates.count < 2 else { throw node.unsupported("has two templates, one around the other") }
        return templates.first ?? PostProcessor()
    }

    private static func readTemplates(_ node: FileNode) throws(TokenizerError) -> [PostProcessor] {
        switch try node.member("type").text() {
        case "ByteLevel":
            // It concerns the offsets of tokens only.
            try node.expectMembers(["type", "add_prefix_space", "trim_offsets", "use_regex"])
            return []
        case "TemplateProcessing": return [try readTemplate(node)]
        case "Sequence":
            try node.expectMembers(["type", "processors"])
            var templates: [PostProcessor] = []
            for element in try node.member("processors").elements() { templates += try readTemplates(element) }
            return templates
        case let other: throw node.unsupported("is of type \(other.prefix(60))")
        }
    }

    private static func readTemplate(_ node: FileNode) throws(TokenizerError) -> PostProcessor {
        // The template for pairs of texts is of no use here.
        try node.expectMembers(["type", "single", "pair", "special_tokens"])
        var result = PostProcessor()
        var hasText = false
        for piece in try node.member("single").elements() {
            try piece.expectMembers(["SpecialToken", "Sequence"])
            let (special, sequence) = (piece.member("SpecialToken"), piece.member("Sequence"))
            if special.isNull {
                guard try sequence.member("id").text() == "A", !hasText else {
                    throw piece.unsupported("is not the one place of the text")
                }
                hasText = true
                continue
            }
            let name = try special.member("id").text()
            let ids = node.member("special_tokens").member(name).member("ids")
            for element in try ids.elements() {
                let identifier = Int32(try element.number(in: 0...TokenizerFile.maximumIdentifier))
                if hasText { result.suffix.append(identifier) } else { result.prefix.append(identifier) }
            }
        }
        guard hasText else { throw node.malformed("has no place for the text in its template") }
        return result
    }
}
