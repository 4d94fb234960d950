#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Filters on numbers.
enum NumberFilters {
    @Sendable static func absolute(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        _ = try arguments.bound(to: [], of: "abs")
        if let integer = value.integerOrBool {
            return .integer(integer < 0 ? try Arithmetic.subtract(0, integer) : integer)
        }
        guard let number = value.number else { throw interpreter.unusable(value, "\(value.typeName) is no number") }
        return .float(number.magnitude)
    }

    /// `int`: what Python reads as an integer, else as a number, else the default.
    @Sendable static func integer(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["default", "base"], of: "int")
        let fallback = bound[0] ?? .integer(0)
        switch value {
        case .undefined: throw interpreter.unusable(value, "")
        case .integer, .bool: return .integer(value.integerOrBool ?? 0)
        case .float(let number): return try truncated(number) ?? fallback
        case .string(let text):
            let base = try bound.integer(1, default: 10)
            if let integer = try NumberText.integer(text, base: base) { return .integer(integer) }
            guard let number = NumberText.number(text) else { return fallback }
            return try truncated(number) ?? fallback
        default: return fallback
        }
    }

    private static func truncated(_ number: Double) throws(TemplateError) -> Value? {
        guard number.isFinite else { return nil }
        guard let integer = Int(exactly: number.rounded(.towardZero)) else {
            throw TemplateError(.limit, "a number of more than 64 bits")
        }
        return .integer(integer)
    }

    @Sendable static func float(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["default"], of: "float")
        let fallback = bound[0] ?? .float(0)
        switch value {
        case .undefined: throw interpreter.unusable(value, "")
        case .string(let text): return NumberText.number(text).map { .float($0) } ?? fallback
        default: return value.number.map { .float($0) } ?? fallback
        }
    }

    @Sendable static func round(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["precision", "method"], of: "round")
        let method = try bound.text(1, default: "common")
        if let precision = bound[0], case .none = precision, method == "common", let number = value.number {
            // Python's `round` without digits yields an integer.
            if let integer = value.integerOrBool { return .integer(integer) }
            guard let integer = Int(exactly: number.rounded(.toNearestOrEven)) else {
                throw TemplateError(.limit, "a number of more than 64 bits")
            }
            return .integer(integer)
        }
        let precision = try bound.integer(0, default: 0)
        guard let number = value.number else { throw interpreter.unusable(value, "\(value.typeName) is no number") }
        guard method == "common" || method == "ceil" || method == "floor" else {
            throw TemplateError(.value, "the method of round is common, ceil or floor")
        }
        guard (-300...300).contains(precision) else { throw TemplateError(.limit, "round to more than 300 digits") }
        if method == "common" {
            if let integer = value.integerOrBool { return .integer(try rounded(integer, precision)) }
            guard number.isFinite else { return value }
            return .float(rounded(number, precision))
        }
        let scale = pow(10, Double(precision))
        let scaled = number * scale
        guard scaled.isFinite else { throw TemplateError(.value, "this number cannot be rounded") }
        return .float((method == "ceil" ? scaled.rounded(.up) : scaled.rounded(.down)) / scale)
    }

    /// An integer to tens, hundreds, …, halves to the even neighbour.
    private static func rounded(_ value: Int, _ precision: Int) throws(TemplateError) -> Int {
        guard precision < 0 else { return value }
        guard precision > -19, case .integer(let unit) = try Arithmetic.power(10, -precision) else { return 0 }
        let low = try Arithmetic.multiply(try Arithmetic.floorDivide(value, unit), unit)
        let rest = value - low
        let takesHigh = rest > unit / 2 || (rest == unit / 2 && (low / unit) % 2 != 0)
        return takesHigh ? try Arithmetic.add(low, unit) : low
    }

    /// A fraction to decimal places, correctly rounded as Python does: through its exact decimal digits.
    private static func rounded(_ value: Double, _ precision: Int) -> Double {
        if precision > 22 || value == 0 { return value }
        if precision <= 0 {
            let scale = pow(10, Double(-precision))
            return (value / scale).rounded(.toNearestOrEven) * scale
        }
        var buffer = [CChar](repeating: 0, count: 400)
        let written = withVaList([Int32(precision), value]) { vsnprintf(&buffer, buffer.count, "%.*f", $0) }
        guard written > 0, written < buffer.count else { return value }
        return Double(String(decoding: buffer[..<Int(written)].map { UInt8(bitPattern: $0) }, as: UTF8.self)) ?? value
    }

    @Sendable static func sum(
        _ value: Value, _ interpreter: Interpreter, _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        let bound = try arguments.bound(to: ["attribute", "start"], of: "sum")
        let path = try AttributePath(bound[0], interpreter)
        var total = bound[1] ?? .integer(0)
        if case .string = total { throw TemplateError(.value, "texts are joined, not summed") }
        let iterator = try interpreter.iterator(over: value)
        while let item = try iterator.next(interpreter) {
            total = try interpreter.combine(total, .add, try path.value(in: item, interpreter))
        }
        return total
    }
}
