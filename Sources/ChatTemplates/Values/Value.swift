/// A value of the template language, with the semantics of the Python value that Jinja would have.
enum Value {
    case undefined(Undefined)
    case none
    case bool(Bool)
    case integer(Int)
    case float(Double)
    case string(Text)
    case list(Items)
    case tuple(Items)
    case dictionary(Mapping)
    case view(MappingView)
    case range(Progression)
    case iterator(ItemIterator)
    case namespace(Namespace)
    case loop(LoopState)
    case function(Function)

    /// What a name or an attribute that does not exist evaluates to, with the sentence for those who use it.
    final class Undefined {
        let message: String
        init(_ message: String) { self.message = message }
    }

    static func list(_ items: [Value]) -> Value { .list(Items(items)) }
    static func tuple(_ items: [Value]) -> Value { .tuple(Items(items)) }
    static func string(_ text: some Sequence<Unicode.Scalar>) -> Value { .string(Text(text)) }
    static func undefined(_ message: String) -> Value { .undefined(Undefined(message)) }

    var isUndefined: Bool {
        if case .undefined = self { return true }
        return false
    }

    /// How deep lists lie in lists; one for a list of plain values, zero for a plain value.
    var depth: Int {
        switch self {
        case .list(let items), .tuple(let items): return items.depth
        case .dictionary(let mapping): return mapping.depth
        case .view(let view): return view.mapping.depth + 1
        case .iterator(let iterator): return iterator.depth
        case .function(let function): return function.depth
        case .namespace, .loop, .range: return 1
        default: return 0
        }
    }

    /// What Python calls the type.
    var typeName: String {
        switch self {
        case .undefined: return "undefined"
        case .none: return "None"
        case .bool: return "bool"
        case .integer: return "int"
        case .float: return "float"
        case .string: return "str"
        case .list: return "list"
        case .tuple: return "tuple"
        case .dictionary: return "dict"
        case .view(let view): return "dict_\(view.kind.rawValue)"
        case .range: return "range"
        case .iterator: return "generator"
        case .namespace: return "namespace"
        case .loop: return "loop"
        case .function: return "function"
        }
    }
}

/// The items of a list or a tuple; never changed, as in Jinja's immutable sandbox.
final class Items {
    let items: [Value]
    let depth: Int

    init(_ items: [Value]) {
        self.items = items
        depth = 1 + items.reduce(0) { max($0, $1.depth) }
    }
}

/// `range(…)`.
struct Progression: Equatable {
    let start: Int
    let step: Int
    let count: Int

    subscript(index: Int) -> Int { start + index * step }

    /// What stands behind the last number, as `range` is printed.
    let end: Int
}

/// Variables that inner scopes can set: `namespace(…)`.
///
/// Namespaces may hold each other in circles. The interpreter keeps all of them and empties them when it is done.
final class Namespace {
    var attributes = Mapping()
}
