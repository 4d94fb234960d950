import Testing

@testable import Proofs

@Suite struct InterpolationTests {
    @Test func productsEqualLongDivision() {
        var generator = SplitMix64(state: 7)
        let edges: [UInt16] = [0, 1, 2, 38, 39, 32768, 65495, 65496]
        var pairs = edges.flatMap { a in edges.map { (a, $0) } }
        for _ in 0..<20000 { pairs.append((UInt16(generator.below(65497)), UInt16(generator.below(65497)))) }
        for (a, b) in pairs {
            let expected = UInt16(UInt32(a) * UInt32(b) % 65497)
            #expect(PrimeField.montgomeryProduct(a, PrimeField.montgomeryForm(b)) == expected)
            #expect(PrimeField.difference(a, b) == UInt16((UInt32(a) + 65497 - UInt32(b)) % 65497))
        }
    }

    @Test func everyInverseIsAnInverse() {
        for d in 1..<65497 {
            let inverse = PrimeField.inverses[d]
            #expect(PrimeField.montgomeryProduct(UInt16(d), inverse) == 1)
            if PrimeField.montgomeryProduct(UInt16(d), inverse) != 1 { return }
        }
    }

    @Test(arguments: [1, 2, 3, 5, 17, 64, 127, 128, 129, 500, 1000])
    func polynomialPassesThroughRandomPoints(count: Int) {
        var generator = SplitMix64(state: UInt64(count))
        var chosen: Set<UInt16> = []
        while chosen.count < count { chosen.insert(UInt16(generator.below(65497))) }
        let x = Array(chosen)
        let y = x.map { _ in UInt16(generator.below(65497)) }
        var values = [UInt16](repeating: 0, count: count)
        x.withUnsafeBufferPointer { x in
            let coefficients = y.withUnsafeBufferPointer { Interpolation.coefficients(x: x, y: $0) }
            #expect(coefficients.count == count)
            values.withUnsafeMutableBufferPointer { Interpolation.values(of: coefficients, at: x, into: $0) }
        }
        #expect(values == y)
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
