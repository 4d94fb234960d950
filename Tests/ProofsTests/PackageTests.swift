import Testing

@testable import Proofs

/// What the published package tests of itself (tests/test_poly.py, test_ndd.py, test_proof_e2e.py), and prime-rl's tests
/// of its use of it, as far as it means something here.
@Suite struct PackageTests {
    private func statistics(
        _ made: [ToplocProof], _ bits: [UInt16], hidden: Int, chunking: Chunking = .standard
    ) throws -> [ToplocStatistics] {
        zip(made, try topRows(of: bits, hidden: hidden, chunking: chunking)).map {
            ToplocStatistics(proof: $0, against: $1)
        }
    }

    private func scaled(_ bits: [UInt16], by factor: Float) -> [UInt16] {
        bits.map { pattern in
            let product = Float(bitPattern: UInt32(pattern) << 16) * factor
            return UInt16(truncatingIfNeeded: (product.bitPattern &+ 0x7FFF &+ (product.bitPattern >> 16 & 1)) >> 16)
        }
    }

    @Test func countsOfProofs() throws {
        let hidden = 16
        func count(_ rows: Int, _ chunk: Int, k: Int = 4) throws -> Int {
            try proofs(
                of: Activations.gaussian(seed: 1, count: rows * hidden), hidden: hidden,
                chunking: Chunking(rows: chunk, topK: k)
            ).count
        }
        #expect(try count(7, 2) == 4)
        #expect(try count(17, 4) == 5)
        #expect(try count(16, 3) == 6)
        #expect(try count(0, 3) == 0)
        #expect(try count(10, 10, k: 1) == 1)
        #expect(try [16, 32, 33, 64].map { try count($0, 32) } == [1, 1, 2, 2])
    }

    @Test func fullChunkTakes258Bytes() throws {
        let made = try proofs(of: Activations.gaussian(seed: 2, count: 32 * 1024), hidden: 1024)
        #expect(made.map(\.bytes.count) == [258] && made[0].base64.count == 344)
    }

    @Test func samePointsInAnyOrderGiveTheSamePolynomial() {
        let x: [UInt16] = [1, 3, 5, 2]
        let y: [UInt16] = [1, 5, 4, 1]
        func coefficients(_ order: [Int]) -> [UInt16] {
            order.map { x[$0] }.withUnsafeBufferPointer { x in
                order.map { y[$0] }.withUnsafeBufferPointer { Interpolation.coefficients(x: x, y: $0) }
            }
        }
        #expect(coefficients([0, 1, 2, 3]) == coefficients([3, 1, 0, 2]))
    }

    @Test func honestChunksHaveNoError() throws {
        for (rows, hidden, chunk, k) in [(16, 16, 3, 4), (70, 24, 32, 16), (3, 1024, 32, 128), (1, 7, 32, 128)] {
            let bits = Activations.gaussian(seed: 3, count: rows * hidden)
            let chunking = Chunking(rows: chunk, topK: k)
            let made = try proofs(of: bits, hidden: hidden, chunking: chunking)
            for result in try statistics(made, bits, hidden: hidden, chunking: chunking) {
                #expect(result.exponentMismatches == 0 && result.signMismatches == 0)
                #expect(result.mantissaErrorMean == 0 && result.mantissaErrorMedian == 0)
            }
        }
    }

    /// One per cent is one or two steps of the mantissa; values that cross a power of two show as exponents.
    @Test func onePerCentIsASmallMantissaError() throws {
        let bits = Activations.gaussian(seed: 4, count: 32 * 64)
        let made = try proofs(of: bits, hidden: 64)
        for result in try statistics(made, scaled(bits, by: 1.01), hidden: 64) {
            #expect(result.exponentMismatches <= 8)
            #expect(result.mantissaErrorMean > 0 && result.mantissaErrorMean <= 2)
            #expect(result.mantissaErrorMedian > 0 && result.mantissaErrorMedian <= 2)
            #expect(ToplocPolicy.toploc.accepts(result) && !ToplocPolicy.exact.accepts(result))
        }
    }

    @Test func perturbedMantissasAreRefused() throws {
        var generator = SplitMix64(state: 9)
        let bits = Activations.gaussian(seed: 5, count: 32 * 64)
        let made = try proofs(of: bits, hidden: 64)
        let perturbed = bits.map { $0 ^ UInt16(generator.below(128)) }
        for result in try statistics(made, perturbed, hidden: 64) {
            #expect(result.mantissaErrorMean > 10)
            #expect(!ToplocPolicy.toploc.accepts(result))
        }
    }

    @Test func fourTimesMovesEveryExponent() throws {
        let bits = Activations.gaussian(seed: 6, count: 32 * 64)
        let made = try proofs(of: bits, hidden: 64)
        for result in try statistics(made, scaled(bits, by: 4), hidden: 64) {
            #expect(result.exponentMismatches == 128)
            #expect(result.mantissaErrorMean > 4_294_967_296 && result.mantissaErrorMedian > 4_294_967_296)
        }
    }
}
