import Foundation

/// A TOPLOC proof of one chunk: a polynomial that passes through the chunk's largest activations.
///
/// The bytes are the published package's (version 0.1.6): the index modulus as u16 big-endian, then one u16 big-endian
/// for each coefficient, ascending. A full chunk takes 258 bytes.
public struct ToplocProof: Hashable, Sendable {
    /// What indices are reduced by before the polynomial is evaluated; 65497 unless indices reach beyond that.
    public let modulus: UInt16
    /// Coefficients over GF(65497), ascending; one for each point.
    public let coefficients: [UInt16]

    /// Interpolates the chunk's top values.
    ///
    /// - Throws: `ToplocError.noInjectiveModulus` for indices that collide under every allowed modulus.
    public init(_ top: TopRows) throws(ToplocError) {
        guard let modulus = top.indices.withUnsafeBufferPointer(Interpolation.injectiveModulus) else {
            throw .noInjectiveModulus
        }
        self.modulus = modulus
        let reduced = top.indices.map { UInt16(truncatingIfNeeded: $0 % UInt32(modulus)) }
        self.coefficients = reduced.withUnsafeBufferPointer { x in
            top.bits.withUnsafeBufferPointer { y in Interpolation.coefficients(x: x, y: y) }
        }
    }

    /// Parses a proof from an untrusted source.
    ///
    /// - Parameters:
    ///   - bytes: the proof as it came.
    ///   - points: how many values the chunk's proof must go through, `min(k, rows · hidden)`.
    /// - Throws: `ToplocError` for a wrong length, a null proof, a modulus outside 2¹⁵ < m ≤ 65497, or a coefficient
    ///   of 65497 or more. The published package accepts all of these and crashes or misreads some.
    public init(parsing bytes: some RandomAccessCollection<UInt8>, points: Int) throws(ToplocError) {
        let (coefficientBytes, overflow) = points.multipliedReportingOverflow(by: 2)
        guard points > 0, !overflow, bytes.count == 2 + coefficientBytes else {
            throw .wrongLength(bytes: bytes.count, points: points)
        }
        var iterator = bytes.makeIterator()
        func nextWord() -> UInt16 { UInt16(iterator.next() ?? 0) << 8 | UInt16(iterator.next() ?? 0) }
        let modulus = nextWord()
        guard modulus != 0 else { throw .nullProof }
        guard modulus > 1 << 15, modulus <= PrimeField.prime else { throw .modulusOutOfRange(modulus) }
        var coefficients: [UInt16] = []
        coefficients.reserveCapacity(points)
        for power in 0..<points {
            let coefficient = nextWord()
            guard coefficient < PrimeField.prime else {
                throw .coefficientOutOfRange(power: power, value: coefficient)
            }
            coefficients.append(coefficient)
        }
        self.modulus = modulus
        self.coefficients = coefficients
    }

    /// Parses a proof from base64 in the standard alphabet with padding, exactly as the package writes it.
    public init(base64 text: some StringProtocol, points: Int) throws(ToplocError) {
        guard let data = Data(base64Encoded: String(text)), data.base64EncodedString() == String(text) else {
            throw .invalidBase64
        }
        try self.init(parsing: data, points: points)
    }

    /// The proof as the published package writes it.
    public var bytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(2 + 2 * coefficients.count)
        result.append(UInt8(modulus >> 8))
        result.append(UInt8(truncatingIfNeeded: modulus))
        for coefficient in coefficients {
            result.append(UInt8(coefficient >> 8))
            result.append(UInt8(truncatingIfNeeded: coefficient))
        }
        return result
    }

    /// The bytes in base64, standard alphabet, padded.
    public var base64: String { Data(bytes).base64EncodedString() }

    /// True for a polynomial that no honest chunk gives: more than four zero coefficients, or a degree below k − 4.
    ///
    /// An honest coefficient is zero once in 65497. A constant near the typical bit pattern, by contrast, passes
    /// exponent and mantissa thresholds on most chunks without any inference. A chunk of four values or fewer can be
    /// constant honestly and is never called degenerate.
    public var isDegenerate: Bool {
        let allowed = 4
        guard coefficients.count > allowed else { return false }
        let zeros = coefficients.count { $0 == 0 }
        let degree = coefficients.lastIndex { $0 != 0 } ?? 0
        return zeros > allowed || degree < coefficients.count - allowed
    }
}
