/// A pattern that text is split by: a plain text, or one of the named regular expressions, written out by hand.
///
/// The expressions are recognised by their exact text. There is no regular-expression engine here: one that were almost
/// the same would give almost the same tokens.
enum SplitPattern: Sendable, Equatable {
    /// A plain text.
    case literal([UInt8])
    /// The pattern of GPT-2 and of the byte-level pre-tokenizer.
    case gpt2
    /// The pattern of Llama 3 and of Qwen2; they differ in how many digits go together.
    case cased(digits: Int)

    /// The expression of GPT-2.
    static let gpt2Text = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    private static func casedText(_ number: String) -> String {
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + number
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    /// The pattern with this expression; nil of an expression that is not known.
    init?(expression: String) {
        if expression.utf8.elementsEqual(Self.gpt2Text.utf8) {
            self = .gpt2
        } else if expression.utf8.elementsEqual(Self.casedText(#"\p{N}"#).utf8) {
            self = .cased(digits: 1)
        } else if expression.utf8.elementsEqual(Self.casedText(#"\p{N}{1,3}"#).utf8) {
            self = .cased(digits: 3)
        } else {
            return nil
        }
    }

    /// The spans of `section`: what matches, and what lies between.
    func appendSpans(
        of section: Range<Int>, in bytes: UnsafeBufferPointer<UInt8>, _ classes: UnsafeBufferPointer<UInt8>,
        to spans: inout [Span]
    ) {
        var position = section.lowerBound
        let end = section.upperBound
        switch self {
        case .gpt2:
            let splitter = GPT2Splitter(cursor: ScalarCursor(bytes: bytes, end: end, classes: classes))
            while position < end {
                position = splitter.matchEnd(from: position)
                spans.append(Span(end: position, isMatch: true))
            }
        case .cased(let digits):
            let splitter = CasedSplitter(
                cursor: ScalarCursor(bytes: bytes, end: end, classes: classes), maximumDigits: digits)
            while position < end {
                position = splitter.matchEnd(from: position)
                spans.append(Span(end: position, isMatch: true))
            }
        case .literal(let text):
            while let place = ByteSearch.first(text, in: bytes, from: position, upTo: end) {
                if place > position { spans.append(Span(end: place, isMatch: false)) }
                position = place + text.count
                spans.append(Span(end: position, isMatch: true))
            }
            if position < end { spans.append(Span(end: end, isMatch: false)) }
        }
    }
}

/// A stretch of text up to `end`, from where the one before it ends.
struct Span: Equatable {
    var end: Int
    /// Whether the pattern matched it.
    var isMatch: Bool
}

/// What becomes of the matches of a split: the `behavior` of tokenizer.json.
enum SplitBehavior: String, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"

    /// Appends the pieces that spans from `start` make.
    func appendPieces(_ spans: [Span], from start: Int, inverted: Bool, to pieces: inout [Range<Int>]) {
        let first = pieces.count
        var start = start
        var wasMatch = false
        for span in self == .mergedWithNext ? [] : spans {
            let isMatch = span.isMatch != inverted
            let joins: Bool
            switch self {
            case .removed, .isolated, .mergedWithNext: joins = false
            case .mergedWithPrevious: joins = isMatch && !wasMatch
            case .contiguous: joins = isMatch == wasMatch
            }
            if joins, pieces.count > first {
                pieces[pieces.count - 1] = pieces[pieces.count - 1].lowerBound..<span.end
            } else if !(self == .removed && isMatch) {
                pieces.append(start..<span.end)
            }
            start = span.end
            wasMatch = isMatch
        }
        if self == .mergedWithNext { appendMergedWithNext(spans, from: start, inverted: inverted, to: &pieces) }
    }

    private func appendMergedWithNext(
        _ spans: [Span], from start: Int, inverted: Bool, to pieces: inout [Range<Int>]
    ) {
        // A match joins what follows it unless that is a match as well.
        var open: Int?
        for (index, span) in spans.enumerated() {
            let begin = open ?? (index == 0 ? start : spans[index - 1].end)
            let isMatch = span.isMatch != inverted
            let nextIsMatch = index + 1 < spans.count ? spans[index + 1].isMatch != inverted : true
            if isMatch, !nextIsMatch {
                open = begin
            } else {
                pieces.append(begin..<span.end)
                open = nil
            }
        }
    }
}
