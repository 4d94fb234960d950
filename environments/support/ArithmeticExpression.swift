/// An expression of single digits with `+`, `-`, `*` and parentheses, read from what a policy wrote.
struct ArithmeticExpression {
    /// Every digit in the order in which it appears.
    private(set) var digits: [Int] = []
    /// What the expression evaluates to, multiplication first.
    private(set) var value = 0

    /// Why the text is no expression; a wrong answer, not a fault of the grader.
    struct Malformed: Error {}

    private let text: [UInt8]
    private var position = 0

    /// Longer texts are refused unread: the bound keeps recursion and numbers small.
    private static let maximumLength = 32

    init(_ text: [UInt8]) throws(Malformed) {
        guard text.count <= Self.maximumLength else { throw Malformed() }
        self.text = text
        value = try sum()
        guard position == text.count else { throw Malformed() }
    }

    private mutating func sum() throws(Malformed) -> Int {
        var result = try product()
        while true {
            if take("+") {
                result += try product()
            } else if take("-") {
                result -= try product()
            } else {
                return result
            }
        }
    }

    private mutating func product() throws(Malformed) -> Int {
        var result = try factor()
        // At most 16 digits fit: 9^16 is far below the largest integer.
        while take("*") { result *= try factor() }
        return result
    }

    private mutating func factor() throws(Malformed) -> Int {
        if take("(") {
            let result = try sum()
            guard take(")") else { throw Malformed() }
            return result
        }
        guard position < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position]) else {
            throw Malformed()
        }
        let digit = Int(text[position] - UInt8(ascii: "0"))
        position += 1
        digits.append(digit)
        return digit
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }
}
