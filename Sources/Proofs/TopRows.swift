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
    /// Equal magnitudes at the boundary go to the lowest index, which the published package leaves open.
    public init(of values: UnsafeBufferPointer<UInt16>, count: Int) {
        let wanted = max(0, min(count, values.count))
        guard wanted > 0, let base = values.baseAddress else {
            self.indices = []
            self.bits = []
            return
        }
        (indices, bits) = TopSelection(base, count: values.count, wanted: wanted).select()
    }
}
