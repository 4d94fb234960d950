import CKernels

/// The polynomial through given points over GF(65497), and its values.
enum Interpolation {
    /// The arithmetic modulo the prime for this machine; all builds of it give the same numbers.
    // Without a check: it points at a constant.
    nonisolated(unsafe) static let fastest = ck_field_fastest()

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

    /// Coefficients, ascending, of the polynomial of degree below k through k points with distinct x below the prime.
    ///
    /// Newton's form, then expansion to monomials: O(k²).
    static func coefficients(
        x: UnsafeBufferPointer<UInt16>, y: UnsafeBufferPointer<UInt16>, field: UnsafePointer<ck_field> = fastest
    ) -> [UInt16] {
        let count = x.count
        precondition(y.count == count, "\(y.count) values for \(count) points")
        guard let points = x.baseAddress, let values = y.baseAddress, count > 0 else { return [] }
        return withUnsafeTemporaryAllocation(
            byteCount: ck_field_scratch(count) * MemoryLayout<UInt16>.stride, alignment: 64
        ) { memory in
            let scratch = memory.bindMemory(to: UInt16.self)
            return [UInt16](unsafeUninitializedCapacity: count) { result, initialized in
                guard let scratch = scratch.baseAddress, let target = result.baseAddress else { return }
                field.pointee.interpolate(points, values, count, scratch, target)
                initialized = count
            }
        }
    }

    /// The polynomial's values at the given x, each below the prime, by Horner's rule over all x at once.
    static func values(
        of coefficients: [UInt16], at x: UnsafeBufferPointer<UInt16>, into values: UnsafeMutableBufferPointer<UInt16>,
        field: UnsafePointer<ck_field> = fastest
    ) {
        precondition(values.count >= x.count, "\(values.count) places for \(x.count) values")
        guard let points = x.baseAddress, let target = values.baseAddress else { return }
        field.pointee.evaluate(coefficients, coefficients.count, points, x.count, target)
    }
}
