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

    /// Appends the ids of the pieces of a text.
    func append(
        _ pieces: [Range<Int>], of bytes: UnsafeBufferPointer<UInt8>, _ scratch: EncodingScratch,
        to tokens: inout [Int32]
    ) {
        merges.withView { merges in
            var encoder = PieceEncoder(
                bytes: bytes, alphabet: alphabet, merges: merges, cache: scratch.cache, merger: scratch.takeMerger())
            for piece in pieces {
                if let words, let whole = wholeWord(words, bytes[piece]) {
                    tokens.append(whole)
                } else if let boundary {
                    append(piece, cutBefore: boundary, &encoder, to: &tokens)
                } else {
                    encoder.append(piece, to: &tokens)
                }
            }
            scratch.giveBack(encoder.merger)
        }
    }

    private func wholeWord(_ words: WholeWords, _ piece: Slice<UnsafeBufferPointer<UInt8>>) -> Int32? {
        guard let whole = (words.table ?? vocabulary).number(of: .init(rebasing: piece)) else { return nil }
        return words.excluded.contains(Int32(whole)) ? nil : Int32(whole)
    }

    /// Encodes the parts of a piece between signs for spaces that do not themselves follow one.
    private func append(
        _ piece: Range<Int>, cutBefore sign: [UInt8], _ encoder: inout PieceEncoder, to tokens: inout [Int32]
    ) {
        let bytes = encoder.bytes
        var start = piece.lowerBound
        var search = start + 1
        while let place = ByteSearch.first(sign, in: bytes, from: search, upTo: piece.upperBound) {
            search = place + sign.count
            guard place - sign.count < start || !bytes[place - sign.count..<place].elementsEqual(sign) else { continue }
            encoder.append(start..<place, to: &tokens)
            start = place
        }
        encoder.append(start..<piece.upperBound, to: &tokens)
    }
}

/// Encodes pieces of one text, with all it needs at hand.
private struct PieceEncoder {
    let bytes: UnsafeBufferPointer<UInt8>
    let alphabet: SymbolAlphabet
    let merges: MergeTable.View
    let cache: WordCache
    var merger: PairMerger

    @inline(__always)
    mutating func append(_ piece: Range<Int>, to tokens: inout [Int32]) {
        let key = WordCache.key(piece, in: bytes)
        if let key, cache.append(key, to: &tokens) { return }
        merger.symbols.removeAll(keepingCapacity: true)
        alphabet.append(.init(rebasing: bytes[piece]), to: &merger.symbols)
        merger.merge(merges)
        tokens.append(contentsOf: merger.symbols)
        if let key { cache.keep(key, merger.symbols) }
    }
}
