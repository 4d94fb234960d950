/// Arithmetic modulo 65497, the prime over which TOPLOC interpolates.
///
/// Every bit pattern of a finite bf16 value lies below the prime, so a proof can hold it without loss. Products use
/// Montgomery reduction with R = 2¹⁶: two 16-bit multiplications and a comparison, which the compiler turns into eight
/// lanes at a time on any x86-64 or arm64 machine.
enum PrimeField {
    /// The prime, 2¹⁶ − 39.
    static var prime: UInt16 { 65497 }

    /// 1 / prime modulo 2¹⁶.
    static var inverseModuloRadix: UInt16 { 36969 }

    /// R² modulo the prime, which brings a number into Montgomery form: 39² = 1521.
    static var squaredRadix: UInt16 { 1521 }

    /// a·b / 2¹⁶ modulo the prime, for a, b below the prime.
    ///
    /// With `b` in Montgomery form this is the ordinary product of `a` and what `b` stands for.
    @inline(__always)
    static func montgomeryProduct(_ a: UInt16, _ b: UInt16) -> UInt16 {
        let product = UInt32(a) &* UInt32(b)
        let quotient = UInt16(truncatingIfNeeded: product) &* inverseModuloRadix
        let correction = UInt16(truncatingIfNeeded: (UInt32(quotient) &* UInt32(prime)) &>> 16)
        let high = UInt16(truncatingIfNeeded: product &>> 16)
        return high &- correction &+ (high < correction ? prime : 0)
    }

    /// a − b modulo the prime.
    @inline(__always)
    static func difference(_ a: UInt16, _ b: UInt16) -> UInt16 {
        a &- b &+ (a < b ? prime : 0)
    }

    /// a + b modulo the prime.
    @inline(__always)
    static func sum(_ a: UInt16, _ b: UInt16) -> UInt16 {
        difference(a, b == 0 ? 0 : prime &- b)
    }

    /// The number in Montgomery form, a·2¹⁶ modulo the prime.
    @inline(__always)
    static func montgomeryForm(_ a: UInt16) -> UInt16 {
        montgomeryProduct(a, squaredRadix)
    }

    /// Entry d is 1/d in Montgomery form; entry 0 is 0 and never used, since interpolation points are distinct.
    static let inverses: [UInt16] = {
        let p = UInt32(prime)
        var plain = [UInt32](repeating: 0, count: Int(p))
        plain[1] = 1
        // From p = q·d + r follows 1/d = −q · (1/r), and r < d is known already.
        for d in 2..<p {
            plain[Int(d)] = (p - (p / d) * plain[Int(p % d)] % p) % p
        }
        return plain.map { montgomeryForm(UInt16($0)) }
    }()
}
