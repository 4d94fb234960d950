/// Turns tokens into statements: Jinja's grammar, with a bound on nesting.
struct Parser {
    private let tokens: [Token]
    private var index = 0
    private var depth = 0
    private let stack = StackGuard()
    /// Every name of the template in the order of their identifiers.
    private(set) var names: [NameUse] = []
    private(set) var scopeCount = 0
    /// Loops around the current statement within the current macro.
    var openLoops = 0

    init(source: String) throws(TemplateError) {
        tokens = try Lexer.tokens(of: source)
    }

    /// The whole template.
    mutating func template() throws(TemplateError) -> [Statement] {
        let body = try statements(until: [])
        return body
    }

    var current: Token { tokens[index] }

    var following: Token { tokens[min(index + 1, tokens.count - 1)] }

    mutating func advance() {
        if index < tokens.count - 1 { index += 1 }
    }

    mutating func take(_ symbol: Token.Symbol) -> Bool {
        guard current.kind == .symbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func take(name: String) -> Bool {
        guard isName(name) else { return false }
        advance()
        return true
    }

    func isName(_ name: String) -> Bool { current.kind == .name(name) }

    func isSymbol(_ symbol: Token.Symbol) -> Bool { current.kind == .symbol(symbol) }

    mutating func expect(_ symbol: Token.Symbol) throws(TemplateError) {
        guard take(symbol) else { throw unexpected("\"\(symbol.rawValue)\"") }
    }

    mutating func expect(_ kind: Token.Kind, called label: String) throws(TemplateError) {
        guard current.kind == kind else { throw unexpected(label) }
        advance()
    }

    mutating func expectName() throws(TemplateError) -> String {
        guard case .name(let name) = current.kind else { throw unexpected("a name") }
        advance()
        return name
    }

    func unexpected(_ expected: String) -> TemplateError {
        TemplateError(.syntax, "expected \(expected), found \(current.label)", at: current.position)
    }

    func fault(_ message: String, at position: SourcePosition) -> TemplateError {
        TemplateError(.syntax, message, at: position)
    }

    mutating func reference(
        _ name: String, _ purpose: NameUse.Purpose, at position: SourcePosition
    ) -> NameReference {
        names.append(NameUse(name: name, purpose: purpose))
        return NameReference(name: name, identifier: names.count - 1, position: position)
    }

    mutating func scope() -> Int {
        defer { scopeCount += 1 }
        return scopeCount
    }

    /// Enters levels of nesting; every call is followed by ``leave(_:)``.
    mutating func enter(_ levels: Int = 1) throws(TemplateError) {
        depth += levels
        guard depth <= TemplateLimits.syntaxNesting, !stack.isExhausted else {
            throw TemplateError(.limit, "expressions or blocks are nested too deeply", at: current.position)
        }
    }

    mutating func leave(_ levels: Int = 1) {
        depth -= levels
    }
}
