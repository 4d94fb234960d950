extension Lexer {
    /// Consumes what stands between the marks of a tag, and the closing mark.
    mutating func tagContent(isBlock: Bool, from open: Int) throws(TemplateError) {
        var brackets: [Unicode.Scalar] = []
        while let scalar = scalar(at: offset) {
            if brackets.isEmpty, let end = closing(isBlock: isBlock) {
                append(isBlock ? .blockEnd : .variableEnd, at: offset)
                finish(at: end)
                return
            }
            if scalar.isPythonSpace {
                offset += 1
            } else if scalar.isASCIIDigit {
                try number()
            } else if scalar == "_" || scalar.properties.isXIDStart {
                name()
            } else if scalar == "'" || scalar == "\"" {
                try stringLiteral(quote: scalar)
            } else {
                try symbol(brackets: &brackets)
            }
        }
        throw fault("this tag never ends", at: open)
    }

    /// The offset behind the closing mark, if one stands here.
    private func closing(isBlock: Bool) -> Int? {
        let sign = scalar(at: offset)
        let isSigned = sign == "-" || (isBlock && sign == "+")
        let mark = offset + (isSigned ? 1 : 0)
        if isBlock { return hasPrefix("%}", at: mark) ? endOfTag(at: mark + 2, sign: isSigned ? sign : nil) : nil }
        guard hasPrefix("}}", at: mark) else { return nil }
        return isSigned ? skipSpace(from: mark + 2) : mark + 2
    }

    private mutating func name() {
        let start = offset
        while let scalar = scalar(at: offset), scalar == "_" || scalar.properties.isXIDContinue { offset += 1 }
        append(.name(Text(Array(source[start..<offset])).string), at: start)
    }

    private mutating func symbol(brackets: inout [Unicode.Scalar]) throws(TemplateError) {
        let start = offset
        let pair = scalar(at: start + 1).map { String(source[start]) + String($0) }
        let symbol: Token.Symbol
        if let pair, let double = Token.Symbol(rawValue: pair) {
            symbol = double
            offset += 2
        } else if let single = Token.Symbol(rawValue: String(source[start])) {
            symbol = single
            offset += 1
        } else {
            throw fault("unexpected character \"\(source[start])\"", at: start)
        }
        switch symbol {
        case .leftBrace: brackets.append("}")
        case .leftParenthesis: brackets.append(")")
        case .leftBracket: brackets.append("]")
        case .rightBrace, .rightParenthesis, .rightBracket:
            guard let expected = brackets.popLast() else { throw fault("unexpected \"\(symbol.rawValue)\"", at: start) }
            guard expected == source[start] else {
                throw fault("unexpected \"\(symbol.rawValue)\", \"\(expected)\" is open", at: start)
            }
        default: break
        }
        append(.symbol(symbol), at: start)
    }

    private mutating func stringLiteral(quote: Unicode.Scalar) throws(TemplateError) {
        let start = offset
        var index = start + 1
        while let scalar = scalar(at: index), scalar != quote { index += scalar == "\\" ? 2 : 1 }
        guard index < source.count else { throw fault("this string never ends", at: start) }
        do {
            append(.string(try StringEscapes.decoded(source[(start + 1)..<index])), at: start)
        } catch {
            throw error.located(at: position(of: start))
        }
        offset = index + 1
    }

    /// A number as Jinja's lexer cuts it: digits with single underscores, a fraction only with digits on both sides.
    private mutating func number() throws(TemplateError) {
        let start = offset
        let afterDot = start > 0 && source[start - 1] == "."
        if !afterDot, let end = endOfFloat(from: start) {
            guard let value = Double(digits(start..<end)) else { throw fault("this is no number", at: start) }
            append(.float(value), at: start)
            offset = end
            return
        }
        var radix = 10
        var first = start
        if source[start] == "0", let mark = scalar(at: start + 1) {
            switch mark {
            case "b", "B": radix = 2
            case "o", "O": radix = 8
            case "x", "X": radix = 16
            default: break
            }
            if radix != 10 {
                let end = endOfDigits(from: start + 2, radix: radix, allowsLeadingUnderscore: true)
                if end > start + 2 { first = start + 2 } else { radix = 10 }
            }
        }
        var end = endOfDigits(from: first, radix: radix, allowsLeadingUnderscore: radix != 10)
        if radix == 10, source[start] == "0" {
            // Zeros only: "01" is two tokens in Jinja.
            end = start + 1
            while let scalar = scalar(at: end), scalar == "0" { end += 1 }
        }
        guard let value = Int(digits(first..<end), radix: radix) else {
            throw fault("this number has more than 64 bits", at: start)
        }
        append(.integer(value), at: start)
        offset = end
    }

    private func digits(_ range: Range<Int>) -> String {
        Text(source[range].filter { $0 != "_" }).string
    }

    private func endOfDigits(from start: Int, radix: Int, allowsLeadingUnderscore: Bool) -> Int {
        var index = start
        func isDigit(_ scalar: Unicode.Scalar?) -> Bool {
            guard let scalar, scalar.isASCII else { return false }
            return Character(scalar).hexDigitValue.map { $0 < radix } ?? false
        }
        while true {
            if isDigit(scalar(at: index)) {
                index += 1
            } else if scalar(at: index) == "_", isDigit(scalar(at: index + 1)), index > start || allowsLeadingUnderscore
            {
                index += 2
            } else {
                return index
            }
        }
    }

    private func endOfFloat(from start: Int) -> Int? {
        var end = endOfDigits(from: start, radix: 10, allowsLeadingUnderscore: false)
        var isFloat = false
        if scalar(at: end) == "." {
            let fraction = endOfDigits(from: end + 1, radix: 10, allowsLeadingUnderscore: false)
            if fraction > end + 1 {
                end = fraction
                isFloat = true
            }
        }
        if scalar(at: end) == "e" || scalar(at: end) == "E" {
            var digits = end + 1
            if scalar(at: digits) == "+" || scalar(at: digits) == "-" { digits += 1 }
            let exponent = endOfDigits(from: digits, radix: 10, allowsLeadingUnderscore: false)
            if exponent > digits {
                end = exponent
                isFloat = true
            }
        }
        return isFloat ? end : nil
    }
}
