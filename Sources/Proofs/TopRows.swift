/// What TOPLOC looks at in one chunk: the positions and bits of the values of largest magnitude.
///
/// A verifier reports these for its own activations, so whoever holds the worker's proof can compare without the
/// activations themselves.
public struct TopRows: Hashable, Sendable {
    /// Flat positions in the chunk (row · hidden + column), ascending.
    public let indices: [UInt32]
    /// The bf16 bit patterns at those positions.
    public let bits: [UInt16]

    /// Wraps indices and bits that came from elsewhere.
    ///
    /// - Returns: `nil` unless both have the same count and the indices ascend strictly.
    public init?(indices: [UInt32], bits: [UInt16]) {
        guard indices.count == bits.count else { return nil }
        for position in indices.indices.dropFirst() where indices[position] <= indices[position - 1] { return nil }
        self.indices = indices
        self.bits = bits
    }

    /// Selects the `count` values of largest magnitude, or all of them where there are fewer.
    ///
    /// Equal magnitudes at the boundary go to the lowest index, which the published package leaves open. Magnitudes
    /// compare as bit patterns without the sign, so this is a counting selection: no sort, no floating point.
    public init(of values: UnsafeBufferPointer<UInt16>, count: Int) {
        let wanted = max(0, min(count, values.count))
        guard wanted > 0 else {
            self.indices = []
            self.bits = []
            return
        }
        let (threshold, equalsAllowed) = TopRows.threshold(of: values, wanted: wanted)
        // One slot more than wanted: the branch-free loop writes before it knows whether the element counts.
        var bits: [UInt16] = []
        self.indices = [UInt32](unsafeUninitializedCapacity: wanted + 1) { indices, indexCount in
            bits = [UInt16](unsafeUninitializedCapacity: wanted + 1) { patterns, patternCount in
                var filled = 0
                var equalsLeft = equalsAllowed
                for position in 0..<values.count {
                    let pattern = values[position]
                    let magnitude = pattern & 0x7FFF
                    indices[filled] = UInt32(truncatingIfNeeded: position)
                    patterns[filled] = pattern
                    let isEqual = magnitude == threshold && equalsLeft > 0
                    equalsLeft &-= isEqual ? 1 : 0
                    filled &+= magnitude > threshold || isEqual ? 1 : 0
                }
                patternCount = filled
                indexCount = filled
            }
        }
        self.bits = bits
    }

    /// The smallest magnitude that is selected, and how many values of exactly that magnitude are.
    private static func threshold(
        of values: UnsafeBufferPointer<UInt16>, wanted: Int
    ) -> (magnitude: UInt16, equalsAllowed: Int) {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: 256 + 128) { counts in
            counts.initialize(repeating: 0)
            for pattern in values { counts[Int((pattern & 0x7FFF) >> 7)] &+= 1 }
            var left = Int32(truncatingIfNeeded: wanted)
            var exponent = 255
            while counts[exponent] < left {
                left -= counts[exponent]
                exponent -= 1
            }
            for pattern in values where Int((pattern & 0x7FFF) >> 7) == exponent {
                counts[256 + Int(pattern & 0x7F)] &+= 1
            }
            var mantissa = 127
            while counts[256 + mantissa] < left {
                left -= counts[256 + mantissa]
                mantissa -= 1
            }
            return (UInt16(exponent << 7 | mantissa), Int(left))
        }
    }
}
