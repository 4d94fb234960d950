/// Cuts a template into tokens as Jinja does with `trim_blocks` and `lstrip_blocks`.
///
/// Text and tags alternate: this file is about text, comments and white space; `Lexer+Tags.swift` about what stands
/// inside tags.
struct Lexer {
    let source: [Unicode.Scalar]
    var offset = 0
    var tokens: [Token] = []
    /// Whether the last thing consumed ended with a line end, or nothing was consumed yet.
    private var isAtLineStart = true
    private var lineStarts: [Int] = [0]

    private init(_ text: String) {
        source = Lexer.normalized(text.unicodeScalars)
        for (index, scalar) in source.enumerated() where scalar == "\n" { lineStarts.append(index + 1) }
    }

    /// The tokens of a template, ending with ``Token/Kind/end``.
    static func tokens(of text: String) throws(TemplateError) -> [Token] {
        guard text.unicodeScalars.count <= TemplateLimits.source else {
            throw TemplateError(.limit, "the template has more than \(TemplateLimits.source) characters")
        }
        var lexer = Lexer(text)
        try lexer.run()
        return lexer.tokens
    }

    /// Line ends become "\n", and one at the end of the template goes.
    private static func normalized(_ scalars: String.UnicodeScalarView) -> [Unicode.Scalar] {
        var source: [Unicode.Scalar] = []
        source.reserveCapacity(scalars.count)
        var afterReturn = false
        for scalar in scalars {
            if scalar == "\n" && afterReturn {
                afterReturn = false
                continue
            }
            afterReturn = scalar == "\r"
            source.append(afterReturn ? "\n" : scalar)
        }
        if source.last == "\n" { source.removeLast() }
        return source
    }

    func position(of offset: Int) -> SourcePosition {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        return SourcePosition(line: Int32(low + 1), column: Int32(offset - lineStarts[low] + 1))
    }

    func fault(_ message: String, at offset: Int) -> TemplateError {
        TemplateError(.syntax, message, at: position(of: offset))
    }

    func scalar(at index: Int) -> Unicode.Scalar? { index < source.count ? source[index] : nil }

    func hasPrefix(_ prefix: StaticString, at index: Int) -> Bool {
        let count = prefix.utf8CodeUnitCount
        guard index + count <= source.count else { return false }
        return prefix.withUTF8Buffer { bytes in
            (0..<count).allSatisfy { source[index + $0].value == UInt32(bytes[$0]) }
        }
    }

    mutating func append(_ kind: Token.Kind, at offset: Int) {
        tokens.append(Token(kind: kind, position: position(of: offset)))
    }

    private mutating func run() throws(TemplateError) {
        while offset < source.count { try textAndTag() }
        append(.end, at: source.count)
    }

    private enum Tag {
        case raw(end: Int)
        case comment
        case block
        case variable
    }

    /// Consumes text up to the next tag and the tag itself.
    private mutating func textAndTag() throws(TemplateError) {
        let start = offset
        var open = start
        while open < source.count, !(source[open] == "{" && isTagMark(scalar(at: open + 1))) { open += 1 }
        guard open < source.count else {
            appendData(start..<source.count)
            offset = source.count
            return
        }
        let tag = tag(at: open)
        let sign = scalar(at: open + 2)
        appendData(textBefore(tag, sign: sign, from: start, to: open))
        let isSigned = sign == "-" || sign == "+"
        offset = open + (isSigned ? 3 : 2)
        switch tag {
        case .comment: try comment(from: open)
        case .raw(let end):
            finish(at: end)
            try raw(from: open)
        case .block:
            append(.blockBegin, at: open)
            finish(at: offset)
            try tagContent(isBlock: true, from: open)
        case .variable:
            append(.variableBegin, at: open)
            finish(at: offset)
            try tagContent(isBlock: false, from: open)
        }
    }

    private func isTagMark(_ scalar: Unicode.Scalar?) -> Bool { scalar == "%" || scalar == "{" || scalar == "#" }

    private func tag(at open: Int) -> Tag {
        switch source[open + 1] {
        case "#": return .comment
        case "{": return .variable
        default:
            var index = open + 2
            if let sign = scalar(at: index), sign == "-" || sign == "+" { index += 1 }
            index = skipSpace(from: index)
            guard hasPrefix("raw", at: index) else { return .block }
            index = skipSpace(from: index + 3)
            if hasPrefix("%}", at: index) { return .raw(end: index + 2) }
            if hasPrefix("-%}", at: index) { return .raw(end: skipSpace(from: index + 3)) }
            return .block
        }
    }

    /// The text before a tag without the white space that the tag takes away.
    private func textBefore(_ tag: Tag, sign: Unicode.Scalar?, from start: Int, to end: Int) -> Range<Int> {
        if sign == "-" {
            var end = end
            while end > start, source[end - 1].isPythonSpace { end -= 1 }
            return start..<end
        }
        if case .variable = tag { return start..<end }
        guard sign != "+" else { return start..<end }
        var lineStart = end
        while lineStart > start, source[lineStart - 1] != "\n" { lineStart -= 1 }
        guard lineStart > start || isAtLineStart, lineStart < end,
            source[lineStart..<end].allSatisfy(\.isPythonSpace)
        else { return start..<end }
        return start..<lineStart
    }

    private mutating func appendData(_ range: Range<Int>) {
        if !range.isEmpty { append(.data(Text(Array(source[range]))), at: range.lowerBound) }
    }

    /// Goes on at an offset, remembering what stands before it.
    mutating func finish(at end: Int) {
        offset = end
        isAtLineStart = end > 0 && source[end - 1] == "\n"
    }

    func skipSpace(from index: Int) -> Int {
        var index = index
        while index < source.count, source[index].isPythonSpace { index += 1 }
        return index
    }

    /// Behind a tag that ends at `end`: the line end, or all white space, that it takes along.
    func endOfTag(at end: Int, sign: Unicode.Scalar?) -> Int {
        if sign == "-" { return skipSpace(from: end) }
        return sign != "+" && scalar(at: end) == "\n" ? end + 1 : end
    }

    private mutating func comment(from open: Int) throws(TemplateError) {
        var close = offset
        while close < source.count, !hasPrefix("#}", at: close) { close += 1 }
        guard close < source.count else { throw fault("this comment never ends", at: open) }
        let sign = close > offset ? source[close - 1] : nil
        finish(at: endOfTag(at: close + 2, sign: sign))
    }

    private mutating func raw(from open: Int) throws(TemplateError) {
        let start = offset
        var close = start
        while close < source.count {
            if hasPrefix("{%", at: close), let end = endOfRaw(at: close) {
                appendData(textBefore(.block, sign: scalar(at: close + 2), from: start, to: close))
                finish(at: end)
                return
            }
            close += 1
        }
        throw fault("this raw block never ends", at: open)
    }

    private func endOfRaw(at close: Int) -> Int? {
        var index = close + 2
        if let sign = scalar(at: index), sign == "-" || sign == "+" { index += 1 }
        index = skipSpace(from: index)
        guard hasPrefix("endraw", at: index) else { return nil }
        index = skipSpace(from: index + 6)
        let sign = scalar(at: index)
        if sign == "-" || sign == "+" { index += 1 }
        return hasPrefix("%}", at: index) ? endOfTag(at: index + 2, sign: sign) : nil
    }
}
