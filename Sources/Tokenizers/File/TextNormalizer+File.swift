extension TextNormalizer {
    /// How many times longer than itself a text may become.
    private static let maximumGrowth = 256

    /// Reads a `normalizer`; nil of null.
    static func read(_ node: FileNode) throws(TokenizerError) -> TextNormalizer? {
        let normalizer = try readStep(node)
        guard (normalizer?.growth ?? 1) <= maximumGrowth else {
            throw node.malformed("makes a text more than \(maximumGrowth) times as long")
        }
        return normalizer
    }

    private static func readStep(_ node: FileNode) throws(TokenizerError) -> TextNormalizer? {
        if node.isNull { return nil }
        switch try node.member("type").text() {
        case "NFC":
            try node.expectMembers(["type"])
            return .canonicalComposition
        case "Prepend":
            try node.expectMembers(["type", "prepend"])
            let text = Array(try node.member("prepend").text().utf8)
            guard text.count <= maximumGrowth else { throw node.malformed("prepends more than \(maximumGrowth) bytes") }
            return .prepend(text)
        case "Replace":
            try node.expectMembers(["type", "pattern", "content"])
            return .replace(try node.replaceable(), by: Array(try node.member("content").text().utf8))
        case "Sequence":
            try node.expectMembers(["type", "normalizers"])
            var steps: [TextNormalizer] = []
            for element in try node.member("normalizers").elements() {
                guard let step = try readStep(element) else { throw element.malformed("is null") }
                steps.append(step)
            }
            return .sequence(steps)
        case let other: throw node.unsupported("is of type \(other.prefix(60))")
        }
    }
}
