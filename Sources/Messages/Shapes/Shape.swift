/// What a message of the schema may hold: the table that ``ShapeCheck`` reads before anything is decoded.
struct Shape: Sendable {
    let name: String
    let fields: [UInt32: Field]

    init(_ name: String, _ fields: [UInt32: Field]) {
        self.name = name
        self.fields = fields
    }

    /// One field: its name in the schema, what a value may be, and how often it may occur.
    struct Field: Sendable {
        let name: String
        let rule: Rule
        let count: Count

        static func one(_ name: String, _ rule: Rule) -> Field { Field(name: name, rule: rule, count: .optional) }
        static func required(_ name: String, _ rule: Rule) -> Field { Field(name: name, rule: rule, count: .required) }
        static func many(_ name: String, _ most: Measure, _ rule: Rule) -> Field {
            Field(name: name, rule: rule, count: .repeated(most))
        }
        /// One of several fields that exclude each other; exactly one of them must occur.
        static func body(_ name: String, _ shape: Shape) -> Field {
            Field(name: name, rule: .message(shape), count: .alternative)
        }
    }

    enum Count: Sendable {
        case optional
        case required
        case repeated(Measure)
        case alternative
    }

    /// What one value may be.
    indirect enum Rule: Sendable {
        /// An unsigned integer up to the given one.
        case integer(atMost: UInt64)
        /// An unsigned integer from 1 to a limit.
        case size(Measure)
        /// A signed 64-bit integer.
        case signed
        case boolean
        /// A number that is not NaN or infinite, in the range.
        case float(Double, Double)
        case double(Double, Double)
        /// Any double, NaN included.
        case anyDouble
        case bytes(ClosedRange<Int>)
        /// Between one byte and a limit.
        case blob(Measure)
        /// UTF-8 without control characters: it may be shown on a terminal.
        case text(Measure)
        /// Packed unsigned integers.
        case integers(Measure, atMost: UInt64)
        /// Packed finite floats.
        case floats(Measure)
        case message(Shape)

        static let hash = Rule.bytes(32...32)
        static let key = Rule.bytes(32...32)
        static let signature = Rule.bytes(64...64)
        static let number32 = Rule.integer(atMost: UInt64(UInt32.max))
        static let number64 = Rule.integer(atMost: .max)
        static let rate = Rule.double(0, .greatestFiniteMagnitude)
        static let tokens = Rule.integers(.tokens, atMost: UInt64(Int32.max))
    }

    /// A bound that ``Limits`` sets, or a fixed one.
    enum Measure: Sendable {
        case samples, tokens, chunks, proof, items, name, text
        case exactly(Int)

        func value(in limits: Limits) -> Int {
            switch self {
            case .samples: limits.samples
            case .tokens: limits.tokens
            case .chunks: limits.chunks
            case .proof: limits.proofBytes
            case .items: limits.items
            case .name: limits.nameBytes
            case .text: limits.textBytes
            case .exactly(let count): count
            }
        }
    }
}
