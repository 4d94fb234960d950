/// A statement as parsed.
indirect enum Statement: Sendable {
    case text(Text)
    case output(Expression, SourcePosition)
    case assign(AssignmentTarget, Expression, SourcePosition)
    case capture(Capture)
    case loop(Loop)
    case condition([Branch], otherwise: [Statement])
    case macro(MacroDefinition)
    case call(CallBlock)
    case filter(FilterBlock)
    case with(WithBlock)
    case generation(MacroDefinition)
    case leave
    case next
}

/// What a value is assigned to.
indirect enum AssignmentTarget: Sendable {
    case name(NameReference)
    /// `namespace.attribute`.
    case attribute(NameReference, Text)
    case tuple([AssignmentTarget])
}

/// A test with the statements that it guards.
struct Branch: Sendable {
    let test: Expression
    let body: [Statement]
}

/// `{% for %}`.
final class Loop: Sendable {
    let target: AssignmentTarget
    let sequence: Expression
    let filter: Expression?
    let body: [Statement]
    let otherwise: [Statement]
    let position: SourcePosition
    /// The identifiers of the names in the body.
    let namesOfBody: Range<Int>
    /// The scopes of the filter, of the body and of what follows an empty loop.
    let filterScope: Int
    let bodyScope: Int
    let otherwiseScope: Int

    init(
        target: AssignmentTarget, sequence: Expression, filter: Expression?, body: [Statement],
        otherwise: [Statement], position: SourcePosition, namesOfBody: Range<Int>, scopes: (Int, Int, Int)
    ) {
        self.target = target
        self.sequence = sequence
        self.filter = filter
        self.body = body
        self.otherwise = otherwise
        self.position = position
        self.namesOfBody = namesOfBody
        (filterScope, bodyScope, otherwiseScope) = scopes
    }
}

/// `{% set x %}…{% endset %}`.
final class Capture: Sendable {
    let target: AssignmentTarget
    let filters: [Suffix]
    let body: [Statement]
    let position: SourcePosition
    let scope: Int

    init(target: AssignmentTarget, filters: [Suffix], body: [Statement], position: SourcePosition, scope: Int) {
        self.target = target
        self.filters = filters
        self.body = body
        self.position = position
        self.scope = scope
    }
}

/// A macro, or the body of a call block or of `{% generation %}`, which are macros without a name.
final class MacroDefinition: Sendable {
    let name: NameReference?
    let parameters: [NameReference]
    /// The defaults of the last parameters.
    let defaults: [Expression]
    let body: [Statement]
    let position: SourcePosition
    /// The identifiers of the names in the body.
    let namesOfBody: Range<Int>
    let scope: Int

    init(
        name: NameReference?, parameters: [NameReference], defaults: [Expression], body: [Statement],
        position: SourcePosition, namesOfBody: Range<Int>, scope: Int
    ) {
        self.name = name
        self.parameters = parameters
        self.defaults = defaults
        self.body = body
        self.position = position
        self.namesOfBody = namesOfBody
        self.scope = scope
    }
}

/// `{% call m() %}…{% endcall %}`.
struct CallBlock: Sendable {
    let callee: Expression
    let arguments: ArgumentList
    let caller: MacroDefinition
    let position: SourcePosition
}

/// `{% filter f %}…{% endfilter %}`.
struct FilterBlock: Sendable {
    let filters: [Suffix]
    let body: [Statement]
    let position: SourcePosition
    let scope: Int
}

/// `{% with a = 1 %}…{% endwith %}`.
struct WithBlock: Sendable {
    let targets: [AssignmentTarget]
    let values: [Expression]
    let body: [Statement]
    let position: SourcePosition
    let scope: Int
}
