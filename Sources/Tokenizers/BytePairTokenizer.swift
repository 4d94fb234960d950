/// A tokenizer read from `tokenizer.json`: byte-pair encoding as the `tokenizers` package does it, id for id.
///
/// Both kinds are one type: vocabularies over bytes (GPT-2, Llama 3, Qwen2, SmolLM) and over characters with a sign for
/// the space (Llama 2, Mistral). Text need not be UTF-8: a vocabulary that has every byte encodes any bytes without loss,
/// and decoding gives them back.
public struct BytePairTokenizer: Tokenizer {
    /// The highest id plus 1.
    public let vocabularySize: Int
    /// The id that `tokenizer_config.json` names `bos_token`.
    public internal(set) var beginOfSequence: Int32?
    /// The id that `tokenizer_config.json` names `eos_token`.
    public internal(set) var endOfSequence: Int32?
    /// The id that `tokenizer_config.json` names `pad_token`.
    public internal(set) var padding: Int32?
    /// The added tokens that are marked as special.
    public let specialTokens: Set<Int32>

    let normalizer: TextNormalizer?
    let added: AddedVocabulary
    let preTokenizers: [PreTokenizer]
    var postProcessor: PostProcessor
    let decoder: TokenDecoder
    let model: BytePairModel
    /// The model without the ways to a special token; nil where the model has none.
    private let plainModel: BytePairModel?
    private let decoded: DecodedTokens
    private let scratches = ScratchPool()
    private let plainScratches = ScratchPool()

    /// Puts the parts of a file together.
    init(
        model: BytePairModel, plainModel: BytePairModel?, added: AddedVocabulary, normalizer: TextNormalizer?,
        preTokenizers: [PreTokenizer], postProcessor: PostProcessor, decoder: TokenDecoder
    ) {
        self.model = model
        self.plainModel = plainModel
        self.added = added
        self.normalizer = normalizer
        self.preTokenizers = preTokenizers
        self.postProcessor = postProcessor
        self.decoder = decoder
        specialTokens = Set(added.tokens.lazy.filter(\.isSpecial).map(\.identifier))
        decoded = Self.decodedTokens(model.vocabulary, added, decoder)
        vocabularySize = decoded.count
    }

    // MARK: Text to ids

    /// The ids of UTF-8 bytes; added tokens that are written in the text become their ids.
    public func encode(bytes: [UInt8]) -> [Int32] {
        encode(bytes, by: model, scratches, skippingSpecial: false)
    }

    /// The ids of UTF-8 bytes in which a special token is text like any other.
    public func encode(plain bytes: [UInt8]) -> [Int32] {
        encode(bytes, by: plainModel ?? model, plainScratches, skippingSpecial: true)
    }

    /// The ids of UTF-8 bytes with the special tokens around them that the files ask for.
    public func encodeWithSpecialTokens(bytes: [UInt8]) -> [Int32] {
        postProcessor.process(encode(bytes: bytes))
    }

    private func encode(
        _ bytes: [UInt8], by model: BytePairModel, _ scratches: ScratchPool, skippingSpecial: Bool
    ) -> [Int32] {
        var tokens: [Int32] = []
        tokens.reserveCapacity(bytes.count / 3 + 4)
        scratches.withScratch { scratch in
            bytes.withUnsafeBufferPointer { bytes in
                for section in added.sections(of: bytes, skippingSpecial: skippingSpecial) {
                    switch section {
                    case .token(let index): tokens.append(added.tokens[index].identifier)
                    case .text(let range):
                        let part = UnsafeBufferPointer(rebasing: bytes[range])
                        let isAtStart = range.lowerBound == 0
                        if let normal = normalizer?.normalized(part) {
                            normal.withUnsafeBufferPointer {
                                append($0, model, scratch, isAtStart, skippingSpecial, to: &tokens)
                            }
                        } else {
                            append(part, model, scratch, isAtStart, skippingSpecial, to: &tokens)
                        }
                    }
                }
            }
        }
        return tokens
    }

    private func append(
        _ normal: UnsafeBufferPointer<UInt8>, _ model: BytePairModel, _ scratch: EncodingScratch, _ isAtStart: Bool,
        _ skippingSpecial: Bool, to tokens: inout [Int32]
    ) {
        for section in added.normalizedSections(of: normal, skippingSpecial: skippingSpecial) {
            switch section {
            case .token(let index): tokens.append(added.tokens[index].identifier)
            case .text(let range):
                var text = PieceText(normal[range], isAtStart: isAtStart && range.lowerBound == 0)
                for step in preTokenizers { step.apply(to: &text) }
                text.bytes.withUnsafeBufferPointer { model.append(text.pieces, of: $0, scratch, to: &tokens) }
            }
        }
    }

    // MARK: Ids to text

    /// The id of a token by its text as the file writes it.
    public func token(named name: String) -> Int32? {
        added.identifier(of: name.utf8) ?? model.vocabulary.number(of: name.utf8).map(Int32.init)
    }

    /// The bytes that an id stands for when it is read alone; nil of an id that stands for nothing.
    public func bytes(of token: Int32) -> [UInt8]? {
        decoded.holds(token) ? Array(decoded.bytes(of: token)) : nil
    }

    /// Decodes the next ids of a text; ids without a token are passed over, as in the package.
    public func decode(
        _ tokens: [Int32], _ options: DecodingOptions, continuing state: inout DecodingState
    ) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(tokens.count * 4)
        for token in tokens where decoded.holds(token) {
            if options.skipsSpecial, decoded.isSkipped(token) { continue }
            defer { state.isFirst = false }
            if options.repairs, decoded.isByte(token) {
                state.run += decoded.bytes(of: token)
                continue
            }
            flush(&state, into: &result)
            if !state.isFirst { result += decoder.separator }
            if state.isFirst, let metaspace = decoder.metaspace, metaspace.dropsFirst {
                result += withoutSign(metaspace.sign, token)
            } else {
                append(decoded.bytes(of: token), &state, to: &result)
            }
        }
        return result
    }

    /// The bytes of a character that was not spelled to its end.
    public func finishDecoding(_ options: DecodingOptions, _ state: inout DecodingState) -> [UInt8] {
        var result: [UInt8] = []
        flush(&state, into: &result)
        return result
    }

    private func flush(_ state: inout DecodingState, into result: inout [UInt8]) {
        guard !state.run.isEmpty else { return }
        let run = state.run
        state.run = []
        if run.withUnsafeBufferPointer(ScalarDecoding.isValid) {
            append(run[...], &state, to: &result)
        } else {
            for _ in run { append([0xEF, 0xBF, 0xBD], &state, to: &result) }
        }
    }

    private func append(_ bytes: ArraySlice<UInt8>, _ state: inout DecodingState, to result: inout [UInt8]) {
        guard let strip = decoder.stripsStart, var stripped = state.stripped else {
            result += bytes
            return
        }
        var rest = bytes
        while stripped < strip.count, rest.first == strip.sign {
            rest = rest.dropFirst()
            stripped += 1
        }
        state.stripped = rest.isEmpty && stripped < strip.count ? stripped : nil
        result += rest
    }

    private func withoutSign(_ sign: [UInt8], _ token: Int32) -> [UInt8] {
        let text = Self.form(token, model.vocabulary, added) ?? []
        let alone = decoder.decoded(text).bytes
        return alone.withUnsafeBufferPointer { ByteSearch.replacing(sign, by: [], in: $0) } ?? alone
    }

    private static func form(_ token: Int32, _ vocabulary: ByteStringTable, _ added: AddedVocabulary) -> [UInt8]? {
        if let index = added.tokens.firstIndex(where: { $0.identifier == token }) { return added.forms[index] }
        return vocabulary.string(of: Int(token))
    }

    private static func decodedTokens(
        _ vocabulary: ByteStringTable, _ added: AddedVocabulary, _ decoder: TokenDecoder
    ) -> DecodedTokens {
        var forms: [Int: [UInt8]] = [:]
        for (index, token) in added.tokens.enumerated() { forms[Int(token.identifier)] = added.forms[index] }
        // The package asks of the form whether it is special, so that a normalized token may escape; so does this.
        let special = Set(added.tokens.lazy.filter(\.isSpecial).map(\.content))
        var decoded = DecodedTokens()
        for number in 0..<max(vocabulary.upperBound, (forms.keys.max() ?? -1) + 1) {
            if let form = forms[number] {
                decoded.append(form, by: decoder, isSkipped: special.contains(form))
            } else {
                vocabulary.withString(of: number) { decoded.append($0, by: decoder) }
            }
        }
        return decoded
    }
}
