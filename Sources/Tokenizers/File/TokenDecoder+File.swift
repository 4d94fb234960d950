extension TokenDecoder {
    /// Reads a `decoder`; of null it puts spaces between tokens, as the package does.
    static func read(_ node: FileNode) throws(TokenizerError) -> TokenDecoder {
        var decoder = TokenDecoder()
        if node.isNull {
            decoder.separator = [UInt8(ascii: " ")]
            return decoder
        }
        var stage = Stage.tokens
        try decoder.read(node, &stage)
        return decoder
    }

    /// What the text consists of between two steps.
    private enum Stage {
        /// Single tokens.
        case tokens
        /// Single tokens without the sign for spaces.
        case spaced
        /// Tokens, and characters that byte tokens spelled.
        case characters
        /// The whole.
        case whole
    }

    private mutating func read(_ node: FileNode, _ stage: inout Stage) throws(TokenizerError) {
        let type = try node.member("type").text()
        switch (type, stage) {
        case ("Sequence", _):
            try node.expectMembers(["type", "decoders"])
            for element in try node.member("decoders").elements() { try read(element, &stage) }
        case ("ByteLevel", .tokens):
            try node.expectMembers(["type", "add_prefix_space", "trim_offsets", "use_regex"])
            steps.append(.bytes)
            stage = .whole
        case ("Replace", .tokens):
            try node.expectMembers(["type", "pattern", "content"])
            let (old, new) = (try node.replaceable(), Array(try node.member("content").text().utf8))
            // Every token of the vocabulary is decoded when the file is loaded.
            guard ByteSearch.growth(old, by: new) == 1 else {
                throw node.unsupported("replaces a text by a longer one")
            }
            steps.append(.replace(old, by: new))
        case ("Strip", .tokens), ("Strip", .whole): try readStrip(node, isWhole: stage == .whole)
        case ("Metaspace", .tokens):
            let (sign, scheme) = try MetaspaceSettings.read(node)
            guard sign.count > 1 else { throw node.unsupported("has an ASCII character for a replacement") }
            metaspace = .init(sign: sign, dropsFirst: scheme != .never)
            stage = .spaced
        case ("ByteFallback", .tokens), ("ByteFallback", .spaced):
            try node.expectMembers(["type"])
            fallsBackToBytes = true
            stage = .characters
        case ("Fuse", _):
            try node.expectMembers(["type"])
            stage = .whole
        case ("Replace", _), ("Metaspace", _), ("ByteFallback", _), ("ByteLevel", _), ("Strip", _):
            throw node.unsupported("puts \(type) where tokens are no longer single")
        default: throw node.unsupported("is of type \(type.prefix(60))")
        }
    }

    private mutating func readStrip(_ node: FileNode, isWhole: Bool) throws(TokenizerError) {
        try node.expectMembers(["type", "content", "start", "stop"])
        let sign = try node.member("content").sign()
        let start = try node.member("start").number(in: 0...1024)
        guard try node.member("stop").number(in: 0...1024) == 0 else { throw node.unsupported("strips the end") }
        guard isWhole else {
            steps.append(.strip(sign, start: start))
            return
        }
        guard sign.count == 1, stripsStart == nil else {
            throw node.unsupported("strips the whole text of a character beyond ASCII, or twice")
        }
        stripsStart = .init(sign: sign[0], count: start)
    }
}
