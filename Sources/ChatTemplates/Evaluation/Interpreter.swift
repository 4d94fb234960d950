import JSON

/// Renders one template once.
///
/// Every node costs a step and every level of nesting counts, so that a hostile template ends with an error long before
/// time, memory or stack do.
final class Interpreter {
    let program: Program
    let variables: [String: Value]
    let limits: TemplateLimits
    let time: TemplateTime?
    private let marksGeneration: Bool
    private var steps = 0
    private var depth = 0
    private let stack = StackGuard()
    /// What is being evaluated, for errors.
    var position = SourcePosition.start
    var activation: Activation
    private(set) var output: [Unicode.Scalar] = []
    private var openCaptures = 0
    private var generated: [Range<Int>] = []
    /// Namespaces and activations may refer to each other in circles: they are emptied at the end.
    private var namespaces: [Namespace] = []
    private var captured: [Activation] = []

    init(_ program: Program, variables: ChatVariables, limits: TemplateLimits, marksGeneration: Bool) {
        self.program = program
        self.variables = variables.values
        self.limits = limits
        self.time = variables.time
        self.marksGeneration = marksGeneration
        activation = Activation(slotCount: program.layout.root.slotCount, outer: nil)
    }

    /// Renders the template; to be called once.
    func run() throws(TemplateError) -> MarkedText {
        let root = activation
        defer { release(root) }
        do {
            try enter(program.layout.root)
            _ = try execute(program.body)
        } catch {
            throw error.located(at: position)
        }
        return marked()
    }

    private func release(_ root: Activation) {
        for namespace in namespaces { namespace.attributes.removeAll() }
        for activation in captured { activation.slots = [] }
        root.slots = []
    }

    private func marked() -> MarkedText {
        let text = Text(output).string
        guard !generated.isEmpty else { return MarkedText(text: text, generated: []) }
        var bytes = 0
        var ranges: [Range<Int>] = []
        var position = 0
        for range in generated {
            bytes += utf8Count(position..<range.lowerBound)
            let length = utf8Count(range)
            ranges.append(bytes..<(bytes + length))
            bytes += length
            position = range.upperBound
        }
        return MarkedText(text: text, generated: ranges)
    }

    private func utf8Count(_ range: Range<Int>) -> Int {
        output[range].reduce(0) { $0 + UTF8.width($1) }
    }

    // MARK: Limits

    /// Pays for work.
    func spend(_ count: Int) throws(TemplateError) {
        steps += count
        guard steps <= limits.steps else {
            throw TemplateError(.limit, "the template takes more than \(limits.steps) steps")
        }
    }

    /// Pays for a text of this length, before it is made.
    func check(characters count: Int) throws(TemplateError) {
        guard count <= limits.characters else {
            throw TemplateError(.limit, "a text of more than \(limits.characters) characters")
        }
        try spend(count / 4 + 1)
    }

    /// Refuses a list of this length, before it is made.
    func check(elements count: Int) throws(TemplateError) {
        guard count <= limits.elements else {
            throw TemplateError(.limit, "a list of more than \(limits.elements) elements")
        }
    }

    /// Pays for going over this many elements.
    func spend(elements count: Int) throws(TemplateError) {
        try check(elements: count)
        try spend(count / 2 + 1)
    }

    /// Enters levels of nesting; ``ascend(_:)`` leaves them.
    func descend(_ levels: Int = 1) throws(TemplateError) {
        depth += levels
        guard depth <= TemplateLimits.nesting, !stack.isExhausted else {
            throw TemplateError(.limit, "expressions, blocks or calls of macros are nested too deeply")
        }
    }

    func ascend(_ levels: Int = 1) {
        depth -= levels
    }

    // MARK: Output

    func write(_ text: Text) throws(TemplateError) {
        try check(characters: text.count)
        output.append(contentsOf: text.scalars)
        guard output.count <= limits.characters else {
            throw TemplateError(.limit, "the text has more than \(limits.characters) characters")
        }
    }

    /// What the statements write, apart from the output; `flow` is how they ended.
    func capture(_ statements: [Statement]) throws(TemplateError) -> (text: Text, flow: Flow) {
        var outer: [Unicode.Scalar] = []
        swap(&outer, &output)
        openCaptures += 1
        defer {
            swap(&outer, &output)
            openCaptures -= 1
        }
        let flow = try execute(statements)
        return (Text(output), flow)
    }

    /// Writes what the assistant said, and notes where.
    func writeGenerated(_ text: Text) throws(TemplateError) {
        if marksGeneration {
            guard openCaptures == 0 else {
                throw TemplateError(
                    .unsupported, "{% generation %} inside a macro or another captured text: its place is unknown")
            }
            if !text.isEmpty { generated.append(output.count..<(output.count + text.count)) }
        }
        try write(text)
    }

    // MARK: Scopes

    func enter(_ scope: ScopeLayout) throws(TemplateError) {
        try spend(scope.loads.count)
        for load in scope.loads {
            switch load {
            case .variable(let slot, let name):
                activation.slots[slot] = variables[name] ?? GlobalLibrary.value(of: name)
            case .copy(let slot, let place): activation.slots[slot] = activation.out(place.hops).slots[place.slot]
            case .empty(let slot): activation.slots[slot] = nil
            }
        }
    }

    func leave(_ scope: ScopeLayout) {
        for slot in scope.owned { activation.slots[slot] = nil }
    }

    func layout(_ scope: Int) -> ScopeLayout { program.layout.scopes[scope] }

    func keep(_ namespace: Namespace) { namespaces.append(namespace) }

    /// Keeps the current activation, which a macro now refers to.
    func keepActivation() {
        if captured.last !== activation { captured.append(activation) }
    }
}

/// How statements ended.
enum Flow {
    case normal
    /// `break`.
    case leave
    /// `continue`.
    case next
}
