#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Python's arithmetic on 64-bit integers and binary64; what does not fit is an error.
enum Arithmetic {
    static func add(_ left: Int, _ right: Int) throws(TemplateError) -> Int {
        try fitting(left.addingReportingOverflow(right))
    }

    static func subtract(_ left: Int, _ right: Int) throws(TemplateError) -> Int {
        try fitting(left.subtractingReportingOverflow(right))
    }

    static func multiply(_ left: Int, _ right: Int) throws(TemplateError) -> Int {
        try fitting(left.multipliedReportingOverflow(by: right))
    }

    private static func fitting(_ result: (partialValue: Int, overflow: Bool)) throws(TemplateError) -> Int {
        guard !result.overflow else { throw TemplateError(.limit, "a number of more than 64 bits") }
        return result.partialValue
    }

    /// Division that rounds down.
    static func floorDivide(_ left: Int, _ right: Int) throws(TemplateError) -> Int {
        guard right != 0 else { throw divisionByZero }
        let quotient = try fitting(left.dividedReportingOverflow(by: right))
        let remainder = left % (right == -1 ? 1 : right)
        return remainder != 0 && (remainder < 0) != (right < 0) ? quotient - 1 : quotient
    }

    /// The remainder with the sign of the divisor.
    static func modulo(_ left: Int, _ right: Int) throws(TemplateError) -> Int {
        guard right != 0 else { throw divisionByZero }
        let remainder = right == -1 ? 0 : left % right
        return remainder != 0 && (remainder < 0) != (right < 0) ? remainder + right : remainder
    }

    static func power(_ base: Int, _ exponent: Int) throws(TemplateError) -> Value {
        guard exponent >= 0 else { return .float(try power(Double(base), Double(exponent))) }
        var result = 1
        var square = base
        var rest = exponent
        while rest > 0 {
            if rest & 1 == 1 { result = try multiply(result, square) }
            rest >>= 1
            if rest > 0 { square = try multiply(square, square) }
        }
        return .integer(result)
    }

    static func divide(_ left: Double, _ right: Double) throws(TemplateError) -> Double {
        guard right != 0 else { throw divisionByZero }
        return left / right
    }

    static func floorDivide(_ left: Double, _ right: Double) throws(TemplateError) -> Double {
        guard right != 0 else { throw divisionByZero }
        let remainder = try modulo(left, right)
        let quotient = (left - remainder) / right
        guard quotient != 0 else { return (left / right).sign == .minus ? -0.0 : 0.0 }
        let rounded = quotient.rounded(.down)
        return quotient - rounded > 0.5 ? rounded + 1 : rounded
    }

    static func modulo(_ left: Double, _ right: Double) throws(TemplateError) -> Double {
        guard right != 0 else { throw divisionByZero }
        let remainder = fmod(left, right)
        if remainder == 0 { return right < 0 ? -0.0 : 0.0 }
        return (remainder < 0) != (right < 0) ? remainder + right : remainder
    }

    static func power(_ base: Double, _ exponent: Double) throws(TemplateError) -> Double {
        if base == 0, exponent < 0 { throw divisionByZero }
        let result = pow(base, exponent)
        if result.isNaN, !base.isNaN, !exponent.isNaN {
            throw TemplateError(.unsupported, "complex numbers are not supported")
        }
        if result.isInfinite, base.isFinite, exponent.isFinite { throw TemplateError(.limit, "a number too large") }
        return result
    }

    private static var divisionByZero: TemplateError { TemplateError(.value, "division by zero") }
}
