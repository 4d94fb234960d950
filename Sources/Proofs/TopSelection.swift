/// Finds the values of largest magnitude among many, exactly and in the order of their positions.
///
/// Magnitudes are bit patterns without the sign, so below 2¹⁵; everything is counting and comparing, no sort and no
/// floating point. Loops are written so that the compiler makes eight or more lanes of them.
struct TopSelection {
    private let values: UnsafePointer<UInt16>
    private let count: Int
    private let wanted: Int

    /// Looks at `values`; 0 < wanted ≤ count.
    init(_ values: UnsafePointer<UInt16>, count: Int, wanted: Int) {
        self.values = values
        self.count = count
        self.wanted = wanted
    }

    /// Positions, ascending, and bit patterns; of equal magnitudes at the boundary the lowest positions count.
    func select() -> (indices: [UInt32], bits: [UInt16]) {
        // A sieve pays where a column holds several values, and says nothing with fewer columns than values are wanted.
        let columns = count >= 32_768 ? 2048 : 1024
        if count >= 8 * columns, columns >= 4 * wanted, let candidates = sieve(columns) {
            return candidates.bits.withUnsafeBufferPointer { bits in
                guard let base = bits.baseAddress else { return ([], []) }
                let inner = TopSelection(base, count: bits.count, wanted: wanted).pick()
                return (inner.indices.map { candidates.indices[Int($0)] }, inner.bits)
            }
        }
        return pick()
    }

    /// All values that can be among the wanted ones: few, in the order of their positions.
    ///
    /// The values are dealt to columns. Each column's largest is a value, so the magnitude that as many columns reach as
    /// values are wanted is one that as many values reach: nothing below it is wanted, and nothing above it lies in
    /// another column.
    ///
    /// - Returns: nil where too many columns reach it, as with many equal values.
    private func sieve(_ columns: Int) -> (indices: [UInt32], bits: [UInt16])? {
        withUnsafeTemporaryAllocation(of: Int16.self, capacity: columns) { largest in
            largest.initialize(repeating: 0)
            guard let maxima = largest.baseAddress else { return nil }
            values.withMemoryRebound(to: Int16.self, capacity: count) { values in
                var start = 0
                while start < count {
                    let end = min(columns, count &- start)
                    for column in 0..<end {
                        maxima[column] = max(maxima[column], values[start &+ column] & 0x7FFF)
                    }
                    start &+= columns
                }
            }
            let floor = maxima.withMemoryRebound(to: UInt16.self, capacity: columns) {
                TopSelection($0, count: columns, wanted: wanted).threshold()
            }
            var hot: [Int] = []
            hot.reserveCapacity(2 * wanted)
            for column in 0..<columns where maxima[column] >= Int16(bitPattern: floor) { hot.append(column) }
            // More than these cost more than they save; and a stranger who makes everything equal gains nothing.
            guard hot.count <= 4 * wanted else { return nil }
            return collect(hot, columns, from: floor)
        }
    }

    private func collect(_ hot: [Int], _ columns: Int, from floor: UInt16) -> (indices: [UInt32], bits: [UInt16]) {
        let capacity = hot.count * ((count + columns - 1) / columns) + 1
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: capacity) { places in
            var filled = 0
            hot.withUnsafeBufferPointer { hot in
                for start in stride(from: 0, to: count, by: columns) {
                    for column in hot {
                        let position = start &+ column
                        guard position < count else { break }
                        // Written before it is known whether it counts: no branch to mispredict.
                        places[filled] = UInt32(truncatingIfNeeded: position)
                        filled &+= values[position] & 0x7FFF >= floor ? 1 : 0
                    }
                }
            }
            let indices = Array(places[0..<filled])
            return (indices, indices.map { values[Int($0)] })
        }
    }

    /// The wanted values themselves.
    private func pick() -> (indices: [UInt32], bits: [UInt16]) {
        let threshold = threshold()
        var equalsLeft = wanted - reaching(threshold + 1, from: 0, to: count)
        var bits: [UInt16] = []
        // One slot more than wanted: the branch-free loop writes before it knows whether the element counts.
        let indices = [UInt32](unsafeUninitializedCapacity: wanted + 1) { indices, indexCount in
            bits = [UInt16](unsafeUninitializedCapacity: wanted + 1) { patterns, patternCount in
                var filled = 0
                for start in stride(from: 0, to: count, by: Self.block) {
                    let end = min(start &+ Self.block, count)
                    // In a large chunk most blocks hold nothing, and counting goes eight values at a time.
                    guard reaching(threshold, from: start, to: end) > 0 else { continue }
                    for position in start..<end {
                        let pattern = values[position]
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
        return (indices, bits)
    }

    private static var block: Int { 64 }

    /// The largest magnitude that enough values reach.
    ///
    /// Bisection by counting passes, which the compiler vectorises; a histogram waits for its own stores.
    private func threshold() -> UInt16 {
        var largest: UInt16 = 0
        for position in 0..<count { largest = max(largest, values[position] & 0x7FFF) }
        // Usually the wanted values span a few binades; if not, the whole range is searched.
        let binades: UInt16 = 4 << 7
        var enough = largest > binades ? largest - binades : 0
        if reaching(enough, from: 0, to: count) < wanted { enough = 0 }
        var tooFew = largest + 1
        while tooFew - enough > 1 {
            let middle = enough + (tooFew - enough) / 2
            if reaching(middle, from: 0, to: count) >= wanted { enough = middle } else { tooFew = middle }
        }
        return enough
    }

    /// How many values between two positions have at least this magnitude, which is 2¹⁵ at most.
    private func reaching(_ magnitude: UInt16, from first: Int, to last: Int) -> Int {
        var below = 0
        var start = first
        while start < last {
            // Sixteen-bit counters keep eight lanes in a register; a stretch is too short for one to overflow.
            let end = min(start &+ 32768, last)
            var stretch: UInt16 = 0
            for position in start..<end {
                // The difference's sign bit: 1 for a smaller magnitude.
                stretch &+= ((values[position] & 0x7FFF) &- magnitude) &>> 15
            }
            below &+= Int(stretch)
            start = end
        }
        return last &- first &- below
    }
}
