/// The `decoder` of tokenizer.json: how the tokens of ids become text again.
struct TokenDecoder: Sendable, Equatable {
    /// What happens to each token alone.
    enum Step: Sendable, Equatable {
        /// Signs become the bytes they stand for.
        case bytes
        /// Every occurrence of a text becomes another.
        case replace([UInt8], by: [UInt8])
        /// Up to so many of one sign are cut from the beginning.
        case strip([UInt8], start: Int)
    }

    /// What happens to each token alone, in order.
    var steps: [Step] = []
    /// Whether a token like `<0x0A>` stands for a byte.
    var fallsBackToBytes = false
    /// A sign that becomes a space; in the very first token it vanishes if `dropsFirst` says so.
    var metaspace: Metaspace?
    /// How many of which sign, in ASCII, are cut from the beginning of the whole text.
    var stripsStart: Stripping?
    /// What stands between tokens: a space where a file has no decoder.
    var separator: [UInt8] = []

    /// See ``TokenDecoder/metaspace``.
    struct Metaspace: Sendable, Equatable {
        var sign: [UInt8]
        var dropsFirst: Bool
    }

    /// See ``TokenDecoder/stripsStart``.
    struct Stripping: Sendable, Equatable {
        var sign: UInt8
        var count: Int
    }

    /// What a token becomes alone: its bytes, and whether it stands for one byte of a character.
    ///
    /// The sign of ``metaspace`` is still in it.
    func decoded(_ token: [UInt8]) -> (bytes: [UInt8], isByte: Bool) {
        var token = token
        for step in steps { token = apply(step, token) }
        if fallsBackToBytes, let byte = Self.fallbackByte(token) { return ([byte], true) }
        return (token, false)
    }

    /// A token with spaces for the sign of ``metaspace``.
    func spaced(_ token: [UInt8]) -> [UInt8] {
        guard let metaspace else { return token }
        return token.withUnsafeBufferPointer {
            ByteSearch.replacing(metaspace.sign, by: [UInt8(ascii: " ")], in: $0)
        } ?? token
    }

    private func apply(_ step: Step, _ token: [UInt8]) -> [UInt8] {
        switch step {
        case .bytes:
            var bytes: [UInt8] = []
            let isSigns = token.withUnsafeBufferPointer { ByteAlphabet.appendBytes(of: $0, to: &bytes) }
            return isSigns ? bytes : token
        case .replace(let pattern, let content):
            return token.withUnsafeBufferPointer { ByteSearch.replacing(pattern, by: content, in: $0) } ?? token
        case .strip(let sign, let start):
            var rest = token[...]
            for _ in 0..<start where rest.starts(with: sign) { rest = rest.dropFirst(sign.count) }
            return Array(rest)
        }
    }

    private static func fallbackByte(_ token: [UInt8]) -> UInt8? {
        guard token.count == 6, token.starts(with: "<0x".utf8), token[5] == UInt8(ascii: ">") else { return nil }
        // The package takes a plus sign before one digit for a number too.
        guard let value = UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16) else { return nil }
        return value
    }
}
