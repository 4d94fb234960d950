extension AddedToken {
    /// Reads `added_tokens` and checks that every id is the one that the package would give the token.
    static func read(_ node: FileNode, _ vocabulary: ByteStringTable) throws(TokenizerError) -> [AddedToken] {
        if node.isNull { return [] }
        var tokens: [AddedToken] = []
        var identifiers: Set<Int32> = []
        // The package takes a known token's id from the model, and counts on from the vocabulary's size for others.
        var next = vocabulary.count
        var byteCount = 0
        for element in try node.elements(limit: TokenizerFile.maximumIdentifier) {
            let token = try read(element)
            byteCount += token.content.count
            guard byteCount <= TokenizerFile.maximumAddedByteCount else {
                throw node.malformed("has more than \(TokenizerFile.maximumAddedByteCount) bytes of content")
            }
            guard identifiers.insert(token.identifier).inserted else {
                throw element.malformed("has the id \(token.identifier), which another added token has")
            }
            if let known = vocabulary.number(of: token.content) {
                guard known == Int(token.identifier) else {
                    throw element.malformed("has the id \(token.identifier), but the vocabulary has it as \(known)")
                }
            } else {
                guard next == Int(token.identifier), !vocabulary.holds(next) else {
                    throw element.malformed(
                        "has the id \(token.identifier), but the next free one is \(next), which it would be given")
                }
                next += 1
            }
            tokens.append(token)
        }
        return tokens
    }

    private static func read(_ node: FileNode) throws(TokenizerError) -> AddedToken {
        try node.expectMembers(["id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"])
        let content = Array(try node.member("content").text().utf8)
        guard !content.isEmpty, content.count <= TokenizerFile.maximumAddedTokenByteCount else {
            throw node.member("content").malformed(
                "must have from 1 to \(TokenizerFile.maximumAddedTokenByteCount) bytes")
        }
        return AddedToken(
            identifier: Int32(try node.member("id").number(in: 0...TokenizerFile.maximumIdentifier)),
            content: content,
            isSpecial: try node.member("special").flag(),
            isSingleWord: try node.member("single_word").flag(),
            stripsLeft: try node.member("lstrip").flag(),
            stripsRight: try node.member("rstrip").flag(),
            isNormalized: try node.member("normalized").flag())
    }
}
