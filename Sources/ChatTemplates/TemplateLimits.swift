/// How much a template may do; beyond it rendering ends with an error of kind ``TemplateError/Kind/limit``.
///
/// Nesting is bounded apart from these, so that the stack of a secondary thread bears it.
public struct TemplateLimits: Sendable, Equatable {
    /// Evaluated nodes, plus one for every four characters or two elements that an operation touches.
    ///
    /// A chat of a thousand messages under a published template takes fewer than a million.
    public var steps: Int
    /// Unicode scalars of the rendered text and of every text on the way to it.
    public var characters: Int
    /// Elements of any one list, tuple or dictionary.
    public var elements: Int

    /// Sets limits.
    public init(steps: Int = 10_000_000, characters: Int = 16 << 20, elements: Int = 1 << 20) {
        self.steps = steps
        self.characters = characters
        self.elements = elements
    }

    /// What suits every published template.
    public static let standard = TemplateLimits()

    /// Scalars of a template's source.
    static let source = 1 << 19
    /// Open expressions and blocks while a template is parsed, a block counted twice.
    static let syntaxNesting = 120
    /// Open expressions, blocks and macro calls while it is rendered, a call counted five times.
    static let nesting = 200
    /// Parameters of a macro and named arguments of a call.
    static let parameters = 100
    /// Levels of lists in lists.
    static let valueDepth = 64
    /// Numbers that `range` may produce: what Jinja's sandbox allows.
    static let range = 100_000
}
