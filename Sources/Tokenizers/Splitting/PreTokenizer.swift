/// One step of a `pre_tokenizer`: how text is cut into the pieces that are encoded one by one.
enum PreTokenizer: Sendable, Equatable {
    /// Cuts at the matches of a pattern.
    case split(SplitPattern, SplitBehavior, isInverted: Bool)
    /// Cuts digits from the rest, one by one or in runs.
    case digits(individually: Bool)
    /// Puts a space before every piece that has none, if asked for, and cuts by the pattern of GPT-2, if asked for.
    ///
    /// That the model then works on bytes is the model's own affair: see ``BytePairModel``.
    case byteLevel(addsSpace: Bool, splits: Bool)
    /// Writes a sign for every space, puts one in front by the scheme, and cuts before every sign, if asked for.
    case metaspace(sign: [UInt8], PrependScheme, splits: Bool)

    /// Which pieces the sign for a space is put before.
    enum PrependScheme: String, Sendable {
        case first, never, always
    }

    /// Applies the step to every piece.
    func apply(to text: inout PieceText) {
        switch self {
        case .split(let pattern, let behavior, let isInverted):
            text.cut { piece, bytes, classes, spans, pieces in
                spans.removeAll(keepingCapacity: true)
                pattern.appendSpans(of: piece, in: bytes, classes, to: &spans)
                behavior.appendPieces(spans, from: piece.lowerBound, inverted: isInverted, to: &pieces)
            }
        case .digits(let individually):
            text.cut { piece, bytes, classes, spans, pieces in
                spans.removeAll(keepingCapacity: true)
                Self.appendDigitSpans(of: piece, in: bytes, classes, to: &spans)
                (individually ? SplitBehavior.isolated : .contiguous)
                    .appendPieces(spans, from: piece.lowerBound, inverted: false, to: &pieces)
            }
        case .byteLevel(let addsSpace, let splits):
            if addsSpace {
                text.rewrite { piece, bytes, _, result in
                    if bytes[piece.lowerBound] != UInt8(ascii: " ") { result.append(UInt8(ascii: " ")) }
                    result.append(contentsOf: bytes[piece])
                }
            }
            if splits { PreTokenizer.split(.gpt2, .isolated, isInverted: false).apply(to: &text) }
        case .metaspace(let sign, let scheme, let splits):
            text.rewrite { piece, bytes, isFirst, result in
                let begins = bytes[piece.lowerBound] == UInt8(ascii: " ") || bytes[piece].starts(with: sign)
                if !begins, scheme == .always || (scheme == .first && isFirst) { result.append(contentsOf: sign) }
                for byte in bytes[piece] {
                    if byte == UInt8(ascii: " ") { result.append(contentsOf: sign) } else { result.append(byte) }
                }
            }
            if splits { PreTokenizer.split(.literal(sign), .mergedWithNext, isInverted: false).apply(to: &text) }
        }
    }

    private static func appendDigitSpans(
        of piece: Range<Int>, in bytes: UnsafeBufferPointer<UInt8>, _ classes: UnsafeBufferPointer<UInt8>,
        to spans: inout [Span]
    ) {
        var position = piece.lowerBound
        while position < piece.upperBound {
            let decoded = ScalarDecoding.scalar(bytes, at: position, upTo: piece.upperBound)
            position += decoded.length
            let isDigit = classes[Int(decoded.value)] & CharacterClass.numeric.rawValue != 0
            if !isDigit, let last = spans.last, !last.isMatch {
                spans[spans.count - 1].end = position
            } else {
                spans.append(Span(end: position, isMatch: isDigit))
            }
        }
    }
}

/// Text and the pieces that it is cut into so far; no piece is empty.
struct PieceText {
    /// The text, which a step may have rewritten.
    private(set) var bytes: [UInt8]
    /// The pieces in order.
    private(set) var pieces: [Range<Int>]
    /// Whether the first piece begins where the whole input begins.
    private var isFirstAtStart: Bool

    typealias Bytes = UnsafeBufferPointer<UInt8>

    /// One section of text as one piece.
    ///
    /// - Parameter isAtStart: whether the section begins where the whole input begins.
    init(_ section: some Collection<UInt8>, isAtStart: Bool) {
        bytes = Array(section)
        pieces = bytes.isEmpty ? [] : [0..<bytes.count]
        isFirstAtStart = isAtStart
    }

    /// Cuts every piece by `body`, which appends the parts that stay.
    mutating func cut(_ body: (Range<Int>, Bytes, Bytes, inout [Span], inout [Range<Int>]) -> Void) {
        guard let start = pieces.first?.lowerBound else { return }
        var parts: [Range<Int>] = []
        parts.reserveCapacity(max(pieces.count, bytes.count / 4))
        var spans: [Span] = []
        CharacterClasses.table.withUnsafeBufferPointer { classes in
            bytes.withUnsafeBufferPointer { bytes in
                for piece in pieces { body(piece, bytes, classes, &spans, &parts) }
            }
        }
        pieces = parts
        isFirstAtStart = isFirstAtStart && parts.first?.lowerBound == start
    }

    /// Writes every piece anew by `body`, which appends to the result and is told whether the piece begins the input.
    mutating func rewrite(_ body: (Range<Int>, Bytes, Bool, inout [UInt8]) -> Void) {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + bytes.count / 2 + 8)
        var parts: [Range<Int>] = []
        parts.reserveCapacity(pieces.count)
        bytes.withUnsafeBufferPointer { bytes in
            for (index, piece) in pieces.enumerated() {
                let start = result.count
                body(piece, bytes, index == 0 && isFirstAtStart, &result)
                parts.append(start..<result.count)
            }
        }
        bytes = result
        pieces = parts
    }
}
