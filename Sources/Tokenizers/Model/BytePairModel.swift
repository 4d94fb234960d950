/// The `model` of tokenizer.json: byte-pair encoding of one piece of text.
struct BytePairModel: Sendable {
    /// The tokens as the file writes them.
    let vocabulary: ByteStringTable
    /// The merges that `encode` uses.
    let merges: MergeTable
    /// What a word is made of at first.
    let alphabet: SymbolAlphabet
    /// Whole words with an id, where merges are ignored for them.
    let words: WholeWords?
    /// A sign that every merge across its beginning has on both sides, so that text may be cut before it.
    let boundary: [UInt8]?

    /// The words that are encoded without merging.
    struct WholeWords: Sendable {
        /// The table of them; nil where it is the vocabulary itself.
        let table: ByteStringTable?
        /// Numbers that are not to be used.
        var excluded: Set<Int32> = []
    }

    /// Appends the ids of a piece.
    func append(
        _ piece: Range<Int>, in bytes: UnsafeBufferPointer<UInt8>, _ merges: MergeTable.View, _ scratch: EncodingScratch,
        to tokens: inout [Int32]
    ) {
        if let words, let whole = (words.table ?? vocabulary).number(of: .init(rebasing: bytes[piece])),
            !words.excluded.contains(Int32(whole))
        {
            tokens.append(Int32(whole))
            return
        }
        guard let boundary else { return appendPart(piece, in: bytes, merges, scratch, to: &tokens) }
        var start = piece.lowerBound
        var search = start + 1
        // A cut is before a sign that does not itself follow a sign.
        while let place = ByteSearch.first(boundary, in: bytes, from: search, upTo: piece.upperBound) {
            search = place + boundary.count
            guard place - boundary.count < start || !bytes[place - boundary.count..<place].elementsEqual(boundary)
            else { continue }
            appendPart(start..<place, in: bytes, merges, scratch, to: &tokens)
            start = place
        }
        appendPart(start..<piece.upperBound, in: bytes, merges, scratch, to: &tokens)
    }

    @inline(__always)
    private func appendPart(
        _ part: Range<Int>, in bytes: UnsafeBufferPointer<UInt8>, _ merges: MergeTable.View, _ scratch: EncodingScratch,
        to tokens: inout [Int32]
    ) {
        let key = WordCache.key(part, in: bytes)
        if let key, scratch.cache.append(key, to: &tokens) { return }
        scratch.merger.symbols.removeAll(keepingCapacity: true)
        alphabet.append(.init(rebasing: bytes[part]), to: &scratch.merger.symbols)
        scratch.merger.merge(merges)
        tokens.append(contentsOf: scratch.merger.symbols)
        if let key { scratch.cache.keep(key, scratch.merger.symbols[...]) }
    }
}
