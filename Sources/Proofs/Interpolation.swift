/// The polynomial through given points over GF(65497), and its values.
enum Interpolation {
    /// The largest modulus from 65497 down to 2¹⁵ + 1 under which the indices stay distinct.
    ///
    /// Indices below 65497 need no search. Beyond that a modulus collides with probability of about k²/131000, so the
    /// search ends after a few candidates; `nil` means that the indices were chosen to defeat it, or repeat.
    static func injectiveModulus(of indices: UnsafeBufferPointer<UInt32>) -> UInt16? {
        var largest: UInt32 = 0
        var isAscending = true
        for position in indices.indices {
            isAscending = isAscending && (position == 0 || indices[position] > largest)
            largest = max(largest, indices[position])
        }
        if isAscending && largest < UInt32(PrimeField.prime) { return PrimeField.prime }
        // Stamped with the candidate, so the table is cleared once instead of once for each candidate.
        var seenUnder = [UInt16](repeating: 0, count: Int(PrimeField.prime))
        var candidate = UInt32(PrimeField.prime)
        while candidate > 1 << 15 {
            let isInjective = indices.allSatisfy { index in
                let residue = Int(index % candidate)
                defer { seenUnder[residue] = UInt16(candidate) }
                return seenUnder[residue] != UInt16(candidate)
            }
            if isInjective { return UInt16(candidate) }
            candidate -= 1
        }
        return nil
    }

    /// Coefficients, ascending, of the polynomial of degree below k through k points with distinct x.
    ///
    /// Newton's divided differences, then expansion to monomials: O(k²).
    static func coefficients(x: UnsafeBufferPointer<UInt16>, y: UnsafeBufferPointer<UInt16>) -> [UInt16] {
        let count = x.count
        guard count > 0 else { return [] }
        return withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 3 * count) { scratch in
            let newton = UnsafeMutableBufferPointer(rebasing: scratch[0..<count])
            let shifted = UnsafeMutableBufferPointer(rebasing: scratch[count..<2 * count])
            let inverse = UnsafeMutableBufferPointer(rebasing: scratch[2 * count..<3 * count])
            divideDifferences(x: x, y: y, newton: newton, previous: shifted, inverse: inverse)
            return [UInt16](unsafeUninitializedCapacity: count) { result, initialized in
                expand(x: x, newton: newton, into: result)
                initialized = count
            }
        }
    }

    /// The polynomial's values at the given x, each below the prime, by Horner's rule over all x at once.
    static func values(
        of coefficients: [UInt16], at x: UnsafeBufferPointer<UInt16>, into values: UnsafeMutableBufferPointer<UInt16>
    ) {
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: x.count) { factors in
            for point in x.indices {
                factors[point] = PrimeField.montgomeryForm(x[point] % PrimeField.prime)
                values[point] = 0
            }
            for coefficient in coefficients.reversed() {
                let complement = coefficient == 0 ? 0 : PrimeField.prime - coefficient
                for point in 0..<x.count {
                    values[point] = PrimeField.difference(
                        PrimeField.montgomeryProduct(values[point], factors[point]), complement)
                }
            }
        }
    }

    /// Newton's coefficients: after pass j, entry i ≥ j holds the divided difference over x[i−j]…x[i].
    private static func divideDifferences(
        x: UnsafeBufferPointer<UInt16>, y: UnsafeBufferPointer<UInt16>, newton: UnsafeMutableBufferPointer<UInt16>,
        previous: UnsafeMutableBufferPointer<UInt16>, inverse: UnsafeMutableBufferPointer<UInt16>
    ) {
        let count = x.count
        for i in 0..<count { newton[i] = y[i] % PrimeField.prime }
        PrimeField.inverses.withUnsafeBufferPointer { table in
            for order in 1..<max(count, 1) {
                // Table look-ups apart from the arithmetic, which is then free of gathers and vectorises.
                for i in order..<count {
                    inverse[i] = table[Int(PrimeField.difference(x[i], x[i &- order]))]
                    previous[i] = newton[i &- 1]
                }
                for i in order..<count {
                    newton[i] = PrimeField.montgomeryProduct(PrimeField.difference(newton[i], previous[i]), inverse[i])
                }
            }
        }
    }

    /// Monomials from Newton's form, from the last factor inwards: P ← P · (X − x[i]) + newton[i].
    ///
    /// Two buffers take turns, each with a zero below its lowest power, so that no loop reads what it writes.
    private static func expand(
        x: UnsafeBufferPointer<UInt16>, newton: UnsafeMutableBufferPointer<UInt16>,
        into result: UnsafeMutableBufferPointer<UInt16>
    ) {
        let count = x.count
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 2 * (count + 1)) { scratch in
            scratch.initialize(repeating: 0)
            guard let base = scratch.baseAddress else { return }
            var current = base + 1
            var next = base + count + 2
            current[0] = newton[count - 1]
            var powers = 1
            for i in stride(from: count - 2, through: 0, by: -1) {
                multiply(current, byRoot: PrimeField.montgomeryForm(x[i]), powers: powers + 1, into: next)
                next[0] = PrimeField.sum(next[0], newton[i])
                powers += 1
                swap(&current, &next)
            }
            for power in 0..<count { result.initializeElement(at: power, to: current[power]) }
        }
    }

    /// next = current · (X − root), root in Montgomery form; current[-1] and current[powers − 1] are zero.
    private static func multiply(
        _ current: UnsafeMutablePointer<UInt16>, byRoot root: UInt16, powers: Int,
        into next: UnsafeMutablePointer<UInt16>
    ) {
        let lower = current - 1
        for power in 0..<powers {
            next[power] = PrimeField.difference(
                lower[power], PrimeField.montgomeryProduct(current[power], root))
        }
    }
}
