/// The added tokens of a tokenizer, and the cutting of text at them.
struct AddedVocabulary: Sendable {
    /// What text is cut into.
    enum Section: Equatable {
        /// A token of the list, by its index.
        case token(Int)
        /// Text between tokens; not empty.
        case text(Range<Int>)
    }

    /// The tokens in the order of the file.
    let tokens: [AddedToken]
    /// What each is looked for as, and what it decodes to: the normalized form of those that are normalized.
    let forms: [[UInt8]]
    /// Their ids by their texts.
    private var identifiers = ByteStringTable()
    private var plain = TokenMatcher()
    private var normalized = TokenMatcher()

    /// Prepares a list of tokens.
    ///
    /// - Returns: nil if two tokens look the same where they are looked for, or one of them becomes empty.
    init?(_ tokens: [AddedToken], normalizer: TextNormalizer?) {
        self.tokens = tokens
        forms = tokens.map { $0.isNormalized ? normalizer?.normalized($0.content) ?? $0.content : $0.content }
        for (index, token) in tokens.enumerated() {
            let isNew =
                token.isNormalized
                ? normalized.insert(forms[index], token: index) : plain.insert(forms[index], token: index)
            guard isNew,
                token.content.withUnsafeBufferPointer({ identifiers.insert($0, number: Int(token.identifier)) })
            else { return nil }
        }
    }

    /// The id of an added token by its text.
    func identifier(of content: some Sequence<UInt8>) -> Int32? { identifiers.number(of: content).map(Int32.init) }

    /// Cuts raw text at the tokens that are looked for before normalization.
    func sections(of bytes: UnsafeBufferPointer<UInt8>, skippingSpecial: Bool) -> [Section] {
        sections(of: bytes, by: plain, skippingSpecial)
    }

    /// Cuts normalized text at the tokens that are looked for after it.
    func normalizedSections(of bytes: UnsafeBufferPointer<UInt8>, skippingSpecial: Bool) -> [Section] {
        sections(of: bytes, by: normalized, skippingSpecial)
    }

    /// The same loop as in the package, with its corners: a match that is passed over is not searched for shorter ones,
    /// and white space taken from the right may be given out again.
    private func sections(
        of bytes: UnsafeBufferPointer<UInt8>, by matcher: TokenMatcher, _ skippingSpecial: Bool
    ) -> [Section] {
        guard !bytes.isEmpty else { return [] }
        guard !matcher.isEmpty else { return [.text(0..<bytes.count)] }
        var sections: [Section] = []
        var done = 0
        var position = 0
        while let match = matcher.next(in: bytes, from: position) {
            position = match.range.upperBound
            let token = tokens[match.token]
            if skippingSpecial, token.isSpecial { continue }
            if token.isSingleWord, touchesWord(match.range, bytes) { continue }
            var (start, end) = (match.range.lowerBound, match.range.upperBound)
            if token.stripsLeft { start = max(spaceStart(before: start, bytes), done) }
            if token.stripsRight { end = spaceEnd(after: end, bytes) }
            if done < start { sections.append(.text(done..<start)) }
            sections.append(.token(match.token))
            done = end
        }
        if done != bytes.count { sections.append(.text(done..<bytes.count)) }
        return sections
    }

    private func touchesWord(_ range: Range<Int>, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        if range.lowerBound > 0 {
            let start = ScalarDecoding.scalarStart(bytes, before: range.lowerBound, downTo: 0)
            if has(.word, bytes, start, upTo: range.lowerBound) { return true }
        }
        return range.upperBound < bytes.count && has(.word, bytes, range.upperBound, upTo: bytes.count)
    }

    private func spaceStart(before position: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var start = position
        while start > 0 {
            let previous = ScalarDecoding.scalarStart(bytes, before: start, downTo: 0)
            guard has(.space, bytes, previous, upTo: start) else { break }
            start = previous
        }
        return start
    }

    private func spaceEnd(after position: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var end = position
        while end < bytes.count, has(.space, bytes, end, upTo: bytes.count) {
            end += ScalarDecoding.scalar(bytes, at: end, upTo: bytes.count).length
        }
        return end
    }

    private func has(
        _ flag: CharacterClass, _ bytes: UnsafeBufferPointer<UInt8>, _ position: Int, upTo end: Int
    ) -> Bool {
        let decoded = ScalarDecoding.scalar(bytes, at: position, upTo: end)
        return CharacterClasses.table[Int(decoded.value)] & flag.rawValue != 0
    }
}
