/// How far a proof lies from a verifier's own activations, for one chunk.
///
/// The first three figures equal those of the published package's C++ path to the bit; bigger is worse.
public struct ToplocStatistics: Hashable, Sendable {
    /// What the package reports for mean and median when no exponent matches: 2⁶⁴.
    public static let noMatch = 18_446_744_073_709_551_616.0

    /// Points whose eight exponent bits differ.
    public let exponentMismatches: Int
    /// Mean absolute difference of the seven mantissa bits, over points whose exponents match.
    public let mantissaErrorMean: Double
    /// Upper median of the same differences.
    public let mantissaErrorMedian: Double
    /// Points whose signs differ; the package ignores signs.
    public let signMismatches: Int
    /// Whether the polynomial is one that no honest chunk gives.
    public let isDegenerate: Bool

    /// Evaluates a worker's proof at the verifier's own top values and compares.
    public init(proof: ToplocProof, against top: TopRows) {
        let count = top.indices.count
        let modulus = UInt32(proof.modulus)
        var exponentMismatches = 0
        var signMismatches = 0
        var errorTotal = 0
        var median = ToplocStatistics.noMatch
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 2 * count) { scratch in
            let points = UnsafeMutableBufferPointer(rebasing: scratch[0..<count])
            let claimed = UnsafeMutableBufferPointer(rebasing: scratch[count...])
            for point in 0..<count { points[point] = UInt16(truncatingIfNeeded: top.indices[point] % modulus) }
            Interpolation.values(of: proof.coefficients, at: UnsafeBufferPointer(points), into: claimed)
            withUnsafeTemporaryAllocation(of: Int.self, capacity: 128) { errors in
                errors.initialize(repeating: 0)
                for point in 0..<count {
                    let difference = claimed[point] ^ top.bits[point]
                    signMismatches += difference & 0x8000 == 0 ? 0 : 1
                    guard difference & 0x7F80 == 0 else {
                        exponentMismatches += 1
                        continue
                    }
                    let error = abs(Int(claimed[point] & 0x7F) - Int(top.bits[point] & 0x7F))
                    errors[error] += 1
                    errorTotal += error
                }
                var below = (count - exponentMismatches) / 2
                guard exponentMismatches < count else { return }
                var error = 0
                while errors[error] <= below {
                    below -= errors[error]
                    error += 1
                }
                median = Double(error)
            }
        }
        let matches = count - exponentMismatches
        self.exponentMismatches = exponentMismatches
        self.mantissaErrorMean = matches > 0 ? Double(errorTotal) / Double(matches) : ToplocStatistics.noMatch
        self.mantissaErrorMedian = median
        self.signMismatches = signMismatches
        self.isDegenerate = proof.isDegenerate
    }
}
