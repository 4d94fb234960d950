/// One piece of a template.
struct Token: Sendable, Equatable {
    let kind: Kind
    let position: SourcePosition

    enum Kind: Sendable, Equatable {
        case data(Text)
        case variableBegin
        case variableEnd
        case blockBegin
        case blockEnd
        case name(String)
        case string(Text)
        case integer(Int)
        case float(Double)
        case symbol(Symbol)
        case end
    }

    /// Operators and punctuation.
    enum Symbol: String, Sendable {
        case add = "+"
        case subtract = "-"
        case divide = "/"
        case floorDivide = "//"
        case multiply = "*"
        case modulo = "%"
        case power = "**"
        case tilde = "~"
        case leftBracket = "["
        case rightBracket = "]"
        case leftParenthesis = "("
        case rightParenthesis = ")"
        case leftBrace = "{"
        case rightBrace = "}"
        case equal = "=="
        case notEqual = "!="
        case greater = ">"
        case greaterOrEqual = ">="
        case less = "<"
        case lessOrEqual = "<="
        case assign = "="
        case dot = "."
        case colon = ":"
        case pipe = "|"
        case comma = ","
        case semicolon = ";"
    }

    /// What people call it in an error.
    var label: String {
        switch kind {
        case .data: return "text"
        case .variableBegin: return "\"{{\""
        case .variableEnd: return "\"}}\""
        case .blockBegin: return "\"{%\""
        case .blockEnd: return "\"%}\""
        case .name(let name): return "\"\(name.prefix(40))\""
        case .string: return "a string"
        case .integer, .float: return "a number"
        case .symbol(let symbol): return "\"\(symbol.rawValue)\""
        case .end: return "the end of the template"
        }
    }
}
