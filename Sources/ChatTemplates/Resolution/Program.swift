/// A template ready to be rendered: its statements and where each variable lives.
final class Program: Sendable {
    let body: [Statement]
    let layout: Layout

    init(source: String) throws(TemplateError) {
        var parser = try Parser(source: source)
        body = try parser.template()
        layout = try Resolver.layout(of: body, names: parser.names, scopeCount: parser.scopeCount)
    }
}

/// Where the variables of a template live.
///
/// As in the Python code that Jinja compiles a template to, the template and each macro have an activation with numbered
/// slots; inner scopes (loop bodies, captured blocks) take slots of their own in the same activation.
struct Layout: Sendable {
    /// The places of names by their identifiers.
    var names: [Place]
    /// The places of a loop's target while its filter runs.
    var filterTargets: [Int: Place] = [:]
    /// What happens on entry to a scope, by its number.
    var scopes: [ScopeLayout]
    /// The scope of the template itself.
    var root = ScopeLayout()
}

/// A slot of the current activation or of one around it.
struct Place: Sendable, Equatable {
    /// How many activations out.
    let hops: Int
    let slot: Int
}

/// What a scope needs.
struct ScopeLayout: Sendable {
    /// Slots that are filled on entry, in order.
    var loads: [SlotLoad] = []
    /// Slots that are empty again when the scope is left.
    var owned: [Int] = []
    /// The slots of the activation that this scope opens; macros and the template only.
    var slotCount = 0
    /// The slots of a macro's parameters.
    var parameters: [Int] = []
    /// The slot of `loop`, where the body of a loop uses it.
    var loopSlot: Int?
    /// The slots of `caller`, `kwargs` and `varargs`, where a macro uses them without declaring them.
    var callerSlot: Int?
    var keywordsSlot: Int?
    var positionalsSlot: Int?
}

/// How a slot gets its value on entry to a scope.
enum SlotLoad: Sendable {
    /// A variable of the chat or a function, if there is one of that name.
    case variable(slot: Int, name: String)
    /// A copy of an outer variable: the scope assigns to the name.
    case copy(slot: Int, Place)
    /// No value yet.
    case empty(slot: Int)
}
