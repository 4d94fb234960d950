/// An expression as parsed.
///
/// Chains (`a + b + c`, `a.b[c]|d`) are lists rather than trees, so that only brackets and calls nest.
indirect enum Expression: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case float(Double)
    case string(Text)
    case name(NameReference)
    case list([Expression])
    case tuple([Expression])
    case dictionary([DictionaryEntry])
    /// Attributes, items, calls, filters and tests applied one after the other.
    case suffixed(Expression, [Suffix])
    case sign(SignOperator, Expression, SourcePosition)
    case not(Expression)
    /// Operators of one precedence, from left to right.
    case arithmetic(Expression, [ArithmeticStep])
    case concatenation([Expression])
    case comparison(Expression, [ComparisonStep])
    case and([Expression])
    case or([Expression])
    /// `then if test else otherwise`.
    case conditional(test: Expression, then: Expression, otherwise: Expression?, SourcePosition)
}

/// A variable where it stands; the resolver gives each its place, found by `identifier`.
struct NameReference: Sendable {
    let name: String
    let identifier: Int
    let position: SourcePosition
}

/// What a name of the template is there for.
struct NameUse: Sendable, Equatable {
    let name: String
    let purpose: Purpose

    enum Purpose: Sendable {
        case load
        case store
        case parameter
        /// The namespace in `set namespace.attribute`.
        case namespace
    }
}

struct DictionaryEntry: Sendable {
    let key: Expression
    let value: Expression
}

enum SignOperator: Sendable {
    case plus
    case minus
}

enum ArithmeticOperator: Sendable {
    case add
    case subtract
    case multiply
    case divide
    case floorDivide
    case modulo
    case power
}

struct ArithmeticStep: Sendable {
    let operation: ArithmeticOperator
    let operand: Expression
    let position: SourcePosition
}

enum ComparisonOperator: Sendable {
    case equal
    case notEqual
    case less
    case lessOrEqual
    case greater
    case greaterOrEqual
    case contained
    case notContained
}

struct ComparisonStep: Sendable {
    let operation: ComparisonOperator
    let operand: Expression
    let position: SourcePosition
}

/// What stands behind an expression.
struct Suffix: Sendable {
    let kind: Kind
    let position: SourcePosition

    enum Kind: Sendable {
        case attribute(Text)
        case item(Expression)
        case slice(from: Expression?, to: Expression?, by: Expression?)
        case call(ArgumentList)
        case filter(String, ArgumentList)
        case test(String, ArgumentList, negated: Bool)
    }
}

/// What stands between the parentheses of a call.
struct ArgumentList: Sendable {
    var positional: [Expression] = []
    var named: [(name: String, value: Expression)] = []
    var spread: Expression?
    var namedSpread: Expression?
}
