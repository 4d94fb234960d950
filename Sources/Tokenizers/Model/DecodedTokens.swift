/// What every id decodes to when it is read alone, worked out once when a tokenizer is loaded.
struct DecodedTokens: Sendable {
    private var storage: [UInt8] = []
    private var starts: [Int] = [0]
    private var kinds: [UInt8] = []

    private static let present: UInt8 = 1
    private static let byte: UInt8 = 2
    private static let skipped: UInt8 = 4

    /// The number of ids, with and without text.
    var count: Int { kinds.count }

    /// Adds the next id by the text that a decoder is given for it.
    mutating func append(_ form: [UInt8], by decoder: TokenDecoder, isSkipped: Bool) {
        form.withUnsafeBufferPointer { append($0, by: decoder, isSkipped: isSkipped) }
    }

    /// Adds the next id by the text that a decoder is given for it; nil stands for an id without a token.
    mutating func append(_ form: UnsafeBufferPointer<UInt8>?, by decoder: TokenDecoder, isSkipped: Bool = false) {
        var kind: UInt8 = 0
        if let form {
            kind = Self.present | (isSkipped ? Self.skipped : 0)
            if decoder.steps == [.bytes], !decoder.fallsBackToBytes, decoder.metaspace == nil {
                // The usual case without a detour, because there are many tokens.
                if !ByteAlphabet.appendBytes(of: form, to: &storage) { storage.append(contentsOf: form) }
            } else {
                let decoded = decoder.decoded(Array(form))
                storage += decoder.spaced(decoded.bytes)
                if decoded.isByte { kind |= Self.byte }
            }
        }
        starts.append(storage.count)
        kinds.append(kind)
    }

    /// Whether an id has a token.
    func holds(_ token: Int32) -> Bool {
        token >= 0 && token < kinds.count && kinds[Int(token)] & Self.present != 0
    }

    /// Whether an id stands for one byte of a character; only for ids that have a token.
    func isByte(_ token: Int32) -> Bool { kinds[Int(token)] & Self.byte != 0 }

    /// Whether an id is left out when special tokens are; only for ids that have a token.
    func isSkipped(_ token: Int32) -> Bool { kinds[Int(token)] & Self.skipped != 0 }

    /// The bytes of an id; only for ids that have a token.
    func bytes(of token: Int32) -> ArraySlice<UInt8> { storage[starts[Int(token)]..<starts[Int(token) + 1]] }
}
