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
        guard let base = values.baseAddress else {
            self.indices = []
            self.bits = []
            return
        }
        let threshold = TopRows.threshold(of: base, count: values.count, wanted: wanted)
        var equalsLeft = wanted - TopRows.count(of: base, count: values.count, from: threshold + 1)
        // One slot more than wanted: the branch-free loop writes before it knows whether the element counts.
        var bits: [UInt16] = []
        self.indices = [UInt32](unsafeUninitializedCapacity: wanted + 1) { indices, indexCount in
            bits = [UInt16](unsafeUninitializedCapacity: wanted + 1) { patterns, patternCount in
                var filled = 0
                for start in stride(from: 0, to: values.count, by: TopRows.block) {
                    let end = min(start &+ TopRows.block, values.count)
                    // In a large chunk most blocks hold nothing, and counting goes eight values at a time.
                    guard TopRows.count(of: base + start, count: end &- start, from: threshold) > 0 else { continue }
                    for position in start..<end {
                        let pattern = base[position]
                        let magnitude = pattern & 0x7FFF
                        indices[filled] = UInt32(truncatingIfNeeded: position)
                        patterns[filled] = pattern
                        let isEqual = (magnitude == threshold ? 1 : 0) & (equalsLeft > 0 ? 1 : 0)
                        equalsLeft &-= isEqual
                        filled &+= isEqual | (magnitude > threshold ? 1 : 0)
                    }
                }
                patternCount = filled
                indexCount = filled
            }
        }
        self.bits = bits
    }

    private static var block: Int { 64 }

    /// The magnitude of the value that comes last among those wanted: the largest with enough values from it on.
    ///
    /// Bisection by counting passes, which the compiler vectorises; a histogram waits for its own stores.
    private static func threshold(of values: UnsafePointer<UInt16>, count total: Int, wanted: Int) -> UInt16 {
        var largest: UInt16 = 0
        for position in 0..<total { largest = max(largest, values[position] & 0x7FFF) }
        // Usually the wanted values span a few binades; if not, the whole range is searched.
        let binades: UInt16 = 4 << 7
        var enough = largest > binades ? largest - binades : 0
        if count(of: values, count: total, from: enough) < wanted { enough = 0 }
        var tooFew = largest + 1
        while tooFew - enough > 1 {
            let middle = enough + (tooFew - enough) / 2
            if count(of: values, count: total, from: middle) >= wanted { enough = middle } else { tooFew = middle }
        }
        return enough
    }

    /// How many values have at least this magnitude, which is 2¹⁵ at most.
    private static func count(of values: UnsafePointer<UInt16>, count total: Int, from magnitude: UInt16) -> Int {
        var below = 0
        var start = 0
        while start < total {
            // Sixteen-bit counters keep eight lanes in a register; a stretch is too short for one to overflow.
            let end = min(start &+ 32768, total)
            var stretch: UInt16 = 0
            for position in start..<end {
                // The difference's sign bit: 1 for a smaller magnitude.
                stretch &+= ((values[position] & 0x7FFF) &- magnitude) &>> 15
            }
            below &+= Int(stretch)
            start = end
        }
        return total &- below
    }
}
