extension PreTokenizer {
    /// Reads a `pre_tokenizer` as the steps it consists of; none of null.
    static func read(_ node: FileNode) throws(TokenizerError) -> [PreTokenizer] {
        let steps = try readSteps(node)
        for step in steps.dropLast() {
            if case .byteLevel = step {
                throw node.unsupported("has a step after ByteLevel, where text is signs for bytes")
            }
        }
        return steps
    }

    private static func readSteps(_ node: FileNode) throws(TokenizerError) -> [PreTokenizer] {
        if node.isNull { return [] }
        switch try node.member("type").text() {
        case "Sequence":
            try node.expectMembers(["type", "pretokenizers"])
            var steps: [PreTokenizer] = []
            for element in try node.member("pretokenizers").elements() { steps += try readSteps(element) }
            return steps
        case "ByteLevel":
            try node.expectMembers(["type", "add_prefix_space", "trim_offsets", "use_regex"])
            return [
                .byteLevel(
                    addsSpace: try node.member("add_prefix_space").flag(),
                    splits: try node.member("use_regex").flag(or: true))
            ]
        case "Digits":
            try node.expectMembers(["type", "individual_digits"])
            return [.digits(individually: try node.member("individual_digits").flag())]
        case "Split": return [try readSplit(node)]
        case "Metaspace": return [try readMetaspace(node)]
        case let other: throw node.unsupported("is of type \(other.prefix(60))")
        }
    }

    private static func readSplit(_ node: FileNode) throws(TokenizerError) -> PreTokenizer {
        try node.expectMembers(["type", "pattern", "behavior", "invert"])
        let (text, isExpression) = try node.member("pattern").pattern()
        let pattern = isExpression ? SplitPattern(expression: text) : .literal(Array(text.utf8))
        guard let pattern else { throw node.unsupported("splits by the pattern \(text.prefix(400))") }
        let name = try node.member("behavior").text()
        guard let behavior = SplitBehavior(rawValue: name) else {
            throw node.unsupported("has the behavior \(name.prefix(60))")
        }
        return .split(pattern, behavior, isInverted: try node.member("invert").flag())
    }

    private static func readMetaspace(_ node: FileNode) throws(TokenizerError) -> PreTokenizer {
        let (sign, scheme) = try MetaspaceSettings.read(node)
        return .metaspace(sign: sign, scheme, splits: try node.member("split").flag(or: true))
    }
}

/// What the Metaspace pre-tokenizer and decoder have in common in a file.
enum MetaspaceSettings {
    /// Reads the sign for a space, and where it is put in front.
    static func read(_ node: FileNode) throws(TokenizerError) -> (sign: [UInt8], scheme: PreTokenizer.PrependScheme) {
        try node.expectMembers(["type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"])
        let schemeNode = node.member("prepend_scheme")
        let name = schemeNode.isNull ? "always" : try schemeNode.text()
        guard let scheme = PreTokenizer.PrependScheme(rawValue: name) else {
            throw node.unsupported("has the prepend_scheme \(name.prefix(60))")
        }
        // Old files say add_prefix_space instead; the package wants both where it is false.
        if try !node.member("add_prefix_space").flag(or: true), scheme != .never {
            throw node.malformed("has add_prefix_space false without the prepend_scheme never")
        }
        return (try node.member("replacement").sign(), scheme)
    }
}
