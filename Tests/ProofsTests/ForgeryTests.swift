import Testing

@testable import Proofs

/// Negative controls: forged proofs against thresholds, the degree rule and the sign statistic.
@Suite struct ForgeryTests {
    private let hidden = 64

    private func statistics(_ proof: ToplocProof, _ bits: [UInt16]) throws -> ToplocStatistics {
        ToplocStatistics(proof: proof, against: try #require(try topRows(of: bits, hidden: hidden).first))
    }

    private func proof(_ bits: [UInt16]) throws -> ToplocProof {
        try #require(try proofs(of: bits, hidden: hidden).first)
    }

    @Test func honestChunksPassBothPolicies() throws {
        for seed in 0..<200 as Range<UInt64> {
            let rows = Int(seed % 32) + 1
            let bits = Activations.gaussian(seed: seed, count: rows * hidden)
            let result = try statistics(proof(bits), bits)
            #expect(ToplocPolicy.exact.accepts(result) && ToplocPolicy.toploc.accepts(result))
        }
    }

    /// The forgery that needs no model: one typical bit pattern as a constant polynomial.
    @Test func constantPolynomialIsDegenerate() throws {
        for seed in 0..<50 as Range<UInt64> {
            let bits = Activations.gaussian(seed: seed, count: 2048)
            let typical = try #require(try topRows(of: bits, hidden: hidden).first).bits.sorted()[64]
            let bytes = [0xFF, 0xD9, UInt8(typical >> 8), UInt8(typical & 0xFF)] + [UInt8](repeating: 0, count: 254)
            let result = try statistics(ToplocProof(parsing: bytes, points: 128), bits)
            #expect(result.isDegenerate)
            #expect(!ToplocPolicy.toploc.accepts(result) && !ToplocPolicy.exact.accepts(result))
        }
    }

    @Test func degreeAndZeroRules() throws {
        func made(_ edit: (inout [UInt16]) -> Void) throws -> ToplocProof {
            var coefficients = try proof(Activations.gaussian(seed: 4, count: 2048)).coefficients
            for power in coefficients.indices where coefficients[power] == 0 { coefficients[power] = 1 }
            edit(&coefficients)
            let tail: [[UInt8]] = coefficients.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
            let bytes: [UInt8] = [0xFF, 0xD9] + tail.joined()
            return try ToplocProof(parsing: bytes, points: 128)
        }
        #expect(try !made { _ in }.isDegenerate)
        #expect(try !made { for power in 10..<14 { $0[power] = 0 } }.isDegenerate, "four zeros may happen")
        #expect(try made { for power in 10..<15 { $0[power] = 0 } }.isDegenerate)
        #expect(try !made { for power in 125..<128 { $0[power] = 0 } }.isDegenerate, "degree k − 4")
        #expect(try made { for power in 123..<128 { $0[power] = 0 } }.isDegenerate)
    }

    /// A full-degree polynomial through a table of channel means: what a static-outlier forger can do.
    @Test func meanActivationTableFails() throws {
        for seed in 0..<50 as Range<UInt64> {
            let bits = Activations.gaussian(seed: seed, count: 2048)
            let rows = (0..<2048).map { Float(bitPattern: UInt32(bits[$0]) << 16) }
            let means = (0..<hidden).map { column in
                stride(from: column, to: 2048, by: hidden).reduce(into: Float(0)) { $0 += abs(rows[$1]) } / 32
            }
            let table = (0..<2048).map { UInt16(truncatingIfNeeded: (means[$0 % hidden].bitPattern) >> 16) }
            #expect(try !ToplocPolicy.toploc.accepts(statistics(proof(table), bits)))
        }
    }

    @Test func otherActivationsFail() throws {
        for seed in 0..<50 as Range<UInt64> {
            let bits = Activations.gaussian(seed: seed, count: 2048)
            let other = Activations.gaussian(seed: seed + 1000, count: 2048)
            #expect(try !ToplocPolicy.toploc.accepts(statistics(proof(other), bits)))
            // Exponent overflow aside, ×4 moves every exponent and the package reports its sentinel.
            let result = try statistics(proof(Activations.perturbed(bits, "times4")), bits)
            #expect(result.exponentMismatches == 128)
            #expect(result.mantissaErrorMean == ToplocStatistics.noMatch)
            #expect(result.mantissaErrorMedian == ToplocStatistics.noMatch)
        }
    }

    @Test func swappedChunksFail() throws {
        let bits = Activations.gaussian(seed: 8, count: 4096)
        let made = try proofs(of: bits, hidden: hidden)
        let tops = try topRows(of: bits, hidden: hidden)
        #expect(!ToplocPolicy.toploc.accepts(ToplocStatistics(proof: made[0], against: tops[1])))
        #expect(!ToplocPolicy.toploc.accepts(ToplocStatistics(proof: made[1], against: tops[0])))
    }

    /// Only the sign statistic sees this one.
    @Test func flippedSignsFail() throws {
        let bits = Activations.gaussian(seed: 9, count: 2048)
        let result = try statistics(proof(Activations.perturbed(bits, "sign")), bits)
        #expect(result.exponentMismatches == 0 && result.mantissaErrorMean == 0 && result.signMismatches == 128)
        #expect(!ToplocPolicy.toploc.accepts(result))
    }

    /// The exact policy sees a single unit in the last place of a single value.
    @Test func oneUlpFailsExactOnly() throws {
        let bits = Activations.gaussian(seed: 10, count: 2048)
        let top = try #require(try topRows(of: bits, hidden: hidden).first)
        var nudged = bits
        nudged[Int(top.indices[40])] ^= 1
        let result = try statistics(proof(nudged), bits)
        #expect(!ToplocPolicy.exact.accepts(result))
        #expect(ToplocPolicy.toploc.accepts(result), "noise of this size is what TOPLOC tolerates")
    }
}
