/// A JSON value whose objects keep their order.
public indirect enum JSONValue: Sendable, Hashable {
    /// The absent value.
    case null
    /// True or false.
    case bool(Bool)
    /// A number without fraction or exponent that fits 64 bits.
    case integer(Int)
    /// Any other finite number.
    case number(Double)
    /// A text.
    case string(String)
    /// A list.
    case array([JSONValue])
    /// An object; names are unique.
    case object(JSONObject)

    /// A binary32 number as the binary64 with the same shortest text, so that 1e-6 is written as people write it.
    public static func number(shortest value: Float) -> JSONValue {
        .number(Double("\(value)") ?? Double(value))
    }

    /// The member `name` of an object; nil where there is none or the value is no object.
    public subscript(name: String) -> JSONValue? { object?[name] }

    /// The truth value, nil of anything else.
    public var bool: Bool? {
        if case .bool(let value) = self { return value }
        return nil
    }

    /// The whole number, nil of anything else.
    public var integer: Int? {
        if case .integer(let value) = self { return value }
        return nil
    }

    /// The number as binary64, nil of anything that is not one.
    public var double: Double? {
        switch self {
        case .integer(let value): return Double(value)
        case .number(let value): return value
        default: return nil
        }
    }

    /// The text of a string, nil of anything else.
    public var string: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    /// The elements of a list, nil of anything else.
    public var array: [JSONValue]? {
        if case .array(let elements) = self { return elements }
        return nil
    }

    /// The members of an object, nil of anything else.
    public var object: JSONObject? {
        if case .object(let object) = self { return object }
        return nil
    }

    /// What people call this kind of value.
    public var kind: String {
        switch self {
        case .null: return "null"
        case .bool: return "true or false"
        case .integer: return "an integer"
        case .number: return "a number"
        case .string: return "a text"
        case .array: return "a list"
        case .object: return "an object"
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    /// A text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An integer.
    public init(integerLiteral value: Int) { self = .integer(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// True or false.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// The absent value.
    public init(nilLiteral: ()) { self = .null }
    /// A list.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object in the order of the literal; of equal names the last value stays.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements.map { JSONMember($0.0, $0.1) }))
    }
}
