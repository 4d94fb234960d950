import Proofs

/// Times TOPLOC proofs on one thread: what `apus bench toploc` prints.
public enum ToplocBench {
    /// The figures, per token of 32-row chunks.
    public struct Line: Encodable, Sendable {
        /// What was timed.
        public let bench = "toploc"
        /// Microseconds to build, selection of the largest values included: the median of the repetitions.
        public let buildMicrosecondsPerToken: Double
        /// Microseconds to verify, selection included: the median of the repetitions.
        public let verifyMicrosecondsPerToken: Double
        /// Width of the activations.
        public let hidden: Int
        /// Chunks.
        public let chunks: Int
        /// Repetitions.
        public let repeats: Int
    }

    /// Activations with random signs and mantissas and eleven exponents, in whole chunks.
    public static func madeUp(hidden: Int, chunks: Int) -> [UInt16] {
        var state: UInt64 = 1
        return (0..<hidden * Chunking.standard.rows * chunks).map { _ -> UInt16 in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let bits = state >> 32
            let sign: UInt64 = (bits & 1) << 15
            let exponent: UInt64 = (120 + (bits >> 1) % 11) << 7
            let mantissa: UInt64 = (bits >> 16) & 127
            return UInt16(sign | exponent | mantissa)
        }
    }

    /// Builds and verifies the proofs of these activations, again and again.
    public static func run(_ values: UnsafeBufferPointer<UInt16>, hidden: Int, repeats: Int) throws -> Line {
        let chunking = Chunking.standard
        let tokens = Double(values.count / hidden)
        var build: [Double] = []
        var verify: [Double] = []
        // The first round fills tables and caches and is not counted.
        for round in 0...repeats {
            let began = ContinuousClock.now
            let proofs = try Toploc.proofs(of: values, hidden: hidden, chunking: chunking)
            let built = ContinuousClock.now
            let rows = try Toploc.topRows(of: values, hidden: hidden, chunking: chunking)
            var agreed = 0
            for (proof, row) in zip(proofs, rows) {
                agreed += ToplocPolicy.exact.accepts(ToplocStatistics(proof: proof, against: row)) ? 1 : 0
            }
            let verified = ContinuousClock.now
            guard agreed == proofs.count else {
                throw RoleFailure(.fault, "A proof does not belong to the activations that it was built from.")
            }
            guard round > 0 else { continue }
            build.append(began.duration(to: built) / .microseconds(1) / tokens)
            verify.append(built.duration(to: verified) / .microseconds(1) / tokens)
        }
        return Line(
            buildMicrosecondsPerToken: build.sorted()[repeats / 2],
            verifyMicrosecondsPerToken: verify.sorted()[repeats / 2], hidden: hidden,
            chunks: chunking.count(forRows: values.count / hidden), repeats: repeats)
    }
}
