import Proofs

/// Times TOPLOC proofs on made-up activations: what `apus bench toploc` prints.
public enum ToplocBench {
    /// The figures, per token of 32-row chunks.
    public struct Line: Encodable, Sendable {
        /// What was timed.
        public let bench = "toploc"
        /// Microseconds to build, selection of the largest values included.
        public let buildMicrosecondsPerToken: Double
        /// Microseconds to verify, selection included.
        public let verifyMicrosecondsPerToken: Double
        /// Width of the activations.
        public let hidden: Int
        /// Chunks.
        public let chunks: Int
    }

    /// Builds and verifies so many chunks on one thread.
    public static func run(hidden: Int, chunks: Int) throws -> Line {
        let chunking = Chunking.standard
        var state: UInt64 = 1
        let values = (0..<hidden * chunking.rows * chunks).map { _ -> UInt16 in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let bits = state >> 32
            // Random sign and mantissa, exponents of ordinary activations.
            let sign: UInt64 = (bits & 1) << 15
            let exponent: UInt64 = (120 + (bits >> 1) % 11) << 7
            let mantissa: UInt64 = (bits >> 16) & 127
            return UInt16(sign | exponent | mantissa)
        }
        let tokens = Double(chunks * chunking.rows)
        return try values.withUnsafeBufferPointer { buffer in
            let began = ContinuousClock.now
            let proofs = try Toploc.proofs(of: buffer, hidden: hidden, chunking: chunking)
            let built = ContinuousClock.now
            let rows = try Toploc.topRows(of: buffer, hidden: hidden, chunking: chunking)
            var agreed = 0
            for (proof, row) in zip(proofs, rows) {
                agreed += ToplocStatistics(proof: proof, against: row).exponentMismatches == 0 ? 1 : 0
            }
            let verified = ContinuousClock.now
            guard agreed == proofs.count else {
                throw RoleFailure(.fault, "A proof does not belong to the activations that it was built from.")
            }
            return Line(
                buildMicrosecondsPerToken: began.duration(to: built) / .microseconds(1) / tokens,
                verifyMicrosecondsPerToken: built.duration(to: verified) / .microseconds(1) / tokens, hidden: hidden,
                chunks: chunks)
        }
    }
}
