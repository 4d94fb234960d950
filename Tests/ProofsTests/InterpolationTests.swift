import CKernels
import Testing

@testable import Proofs

extension SplitMix64: RandomNumberGenerator {}

@Suite struct InterpolationTests {
    /// Every build of the arithmetic that this machine can run.
    private static var builds: [UnsafePointer<ck_field>] {
        (0..<CK_FIELD_COUNT.rawValue).compactMap { ck_field_get(ck_field_id(rawValue: $0)) }
    }

    private static func evaluate(
        _ coefficients: [UInt16], at x: [UInt16], _ field: UnsafePointer<ck_field>
    ) -> [UInt16] {
        var values = [UInt16](repeating: 0, count: x.count)
        x.withUnsafeBufferPointer { x in
            values.withUnsafeMutableBufferPointer {
                Interpolation.values(of: coefficients, at: x, into: $0, field: field)
            }
        }
        return values
    }

    @Test func theFastestBuildIsOneOfThem() {
        #expect(Self.builds.contains(Interpolation.fastest))
    }

    @Test func productsEqualLongDivision() {
        var generator = SplitMix64(state: 7)
        let edges: [UInt16] = [0, 1, 2, 38, 39, 32768, 65495, 65496]
        for factor in edges + (0..<50).map({ _ in UInt16(generator.below(65497)) }) {
            let x = edges + (0..<500).map { _ in UInt16(generator.below(65497)) }
            let expected = x.map { UInt16(UInt32(factor) * UInt32($0) % 65497) }
            for field in Self.builds { #expect(Self.evaluate([0, factor], at: x, field) == expected) }
        }
    }

    @Test(arguments: [0, 1, 2, 31, 32, 33, 127, 128, 129, 300])
    func valuesEqualHornersRuleByLongDivision(count: Int) {
        var generator = SplitMix64(state: UInt64(count) + 100)
        let coefficients = (0..<count).map { _ in UInt16(generator.below(65497)) }
        let x = (0..<count + 3).map { _ in UInt16(generator.below(65536)) } + [0, 1, 65496, 65497, 65535]
        let expected = x.map { x in
            UInt16(coefficients.reversed().reduce(0) { ($0 * (UInt64(x) % 65497) + UInt64($1)) % 65497 })
        }
        for field in Self.builds { #expect(Self.evaluate(coefficients, at: x, field) == expected) }
    }

    @Test(arguments: [1, 2, 3, 5, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 500, 999])
    func polynomialPassesThroughRandomPoints(count: Int) {
        var generator = SplitMix64(state: UInt64(count))
        var chosen: Set<UInt16> = [0, 65496]
        while chosen.count < count { chosen.insert(UInt16(generator.below(65497))) }
        let x = Array(chosen.shuffled(using: &generator).prefix(count))
        let y = x.map { _ in UInt16(generator.below(65497)) }
        for field in Self.builds {
            let coefficients = x.withUnsafeBufferPointer { x in
                y.withUnsafeBufferPointer { Interpolation.coefficients(x: x, y: $0, field: field) }
            }
            // There is one such polynomial only.
            #expect(coefficients.count == count)
            #expect(coefficients.allSatisfy { $0 < 65497 })
            #expect(Self.evaluate(coefficients, at: x, field) == y)
        }
    }

    @Test func modulusIsTheLargestThatSeparates() {
        func search(_ indices: [UInt32]) -> UInt16? {
            indices.withUnsafeBufferPointer(Interpolation.injectiveModulus)
        }
        func naive(_ indices: [UInt32]) -> UInt16? {
            stride(from: 65497 as UInt32, to: 1 << 15, by: -1).first { candidate in
                Set(indices.map { $0 % candidate }).count == indices.count
            }.map { UInt16($0) }
        }
        #expect(search([]) == 65497)
        #expect(search([0, 65496]) == 65497)
        #expect(search([0, 65497]) == 65496)
        #expect(search([5, 5]) == nil)
        var generator = SplitMix64(state: 3)
        for _ in 0..<60 {
            let bound = [70000, 131_072, 4_000_000_000][generator.below(3)]
            let indices = Set((0..<128).map { _ in UInt32(generator.below(bound)) }).sorted()
            #expect(search(indices) == naive(indices))
        }
    }
}
