/// The symbols that a word is made of before anything merges.
struct SymbolAlphabet: Sendable {
    /// What one symbol is.
    enum Unit: Sendable {
        /// A byte, in byte-level vocabularies.
        case byte
        /// A Unicode scalar, in vocabularies of the SentencePiece kind.
        case scalar
    }

    let unit: Unit
    /// The id of each byte in a byte-level vocabulary, of each ASCII scalar otherwise; -1 where there is none.
    private let single: [Int32]
    /// The ids of scalars beyond ASCII.
    private let scalars: [UInt32: Int32]
    /// The ids of `<0x00>` to `<0xFF>`, where the model falls back to bytes.
    private let fallback: [Int32]?
    /// What stands for a unit that has no id, if anything does.
    private let unknown: Int32?
    private let fusesUnknown: Bool

    /// The alphabet of a vocabulary.
    init(_ vocabulary: ByteStringTable, unit: Unit, fallsBackToBytes: Bool, unknown: Int32?, fusesUnknown: Bool) {
        self.unit = unit
        self.unknown = unknown
        self.fusesUnknown = fusesUnknown
        let bytes = (0...255).map(UInt8.init)
        func identifier(_ key: [UInt8]) -> Int32 { vocabulary.number(of: key).map(Int32.init) ?? -1 }
        switch unit {
        case .byte:
            single = bytes.map { identifier(ByteAlphabet.sign(of: $0)) }
            scalars = [:]
        case .scalar:
            single = bytes.map { $0 < 0x80 ? identifier([$0]) : -1 }
            var scalars: [UInt32: Int32] = [:]
            for number in 0..<vocabulary.upperBound {
                vocabulary.withString(of: number) { token in
                    guard let token, token.count > 1, token.count < 5, token[0] >= 0x80 else { return }
                    let decoded = ScalarDecoding.scalar(token, at: 0, upTo: token.count)
                    if decoded.isValid, decoded.length == token.count { scalars[decoded.value] = Int32(number) }
                }
            }
            self.scalars = scalars
        }
        fallback = fallsBackToBytes ? bytes.map { identifier(Array(Self.fallbackToken($0).utf8)) } : nil
    }

    /// Whether every byte has an id of its own, so that nothing is unknown and nothing is lost.
    var isComplete: Bool { (unit == .byte ? single : fallback)?.allSatisfy { $0 >= 0 } ?? false }

    /// The token that stands for a byte where the model falls back to bytes.
    static func fallbackToken(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return "<0x\(digits.count == 1 ? "0" : "")\(digits)>"
    }

    /// Appends the symbols of a word.
    ///
    /// A unit without an id becomes its fallback bytes, else the unknown token, else nothing at all, as in the package. A
    /// byte that is not UTF-8 becomes its fallback byte, else the unknown token.
    func append(_ word: UnsafeBufferPointer<UInt8>, to symbols: inout [Int32]) {
        var pending: Int32?
        var position = 0
        while position < word.count {
            var length = 1
            var identifier: Int32
            let byte = word[position]
            if unit == .byte || byte < 0x80 {
                identifier = single[Int(byte)]
            } else {
                let decoded = ScalarDecoding.scalar(word, at: position, upTo: word.count)
                length = decoded.length
                identifier = decoded.isValid ? scalars[decoded.value] ?? -1 : -1
            }
            defer { position += length }
            if identifier >= 0 {
                if let unknown = pending { symbols.append(unknown) }
                pending = nil
                symbols.append(identifier)
            } else if let fallback, word[position..<position + length].allSatisfy({ fallback[Int($0)] >= 0 }) {
                // The package leaves an unknown before the bytes waiting until after them; so does this.
                for byte in word[position..<position + length] { symbols.append(fallback[Int(byte)]) }
            } else if let unknown {
                if let waiting = pending, !fusesUnknown { symbols.append(waiting) }
                pending = unknown
            }
        }
        if let unknown = pending { symbols.append(unknown) }
    }
}
