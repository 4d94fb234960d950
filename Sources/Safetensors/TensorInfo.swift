/// What a safetensors header says about one tensor.
public struct TensorInfo: Sendable, Equatable {
    /// The type of every element.
    public let type: ElementType
    /// The dimensions, outermost first; empty for a scalar.
    public let shape: [Int]
    /// The tensor's bytes, counted from the start of the data section.
    public let range: Range<Int>

    /// Describes a tensor.
    public init(type: ElementType, shape: [Int], range: Range<Int>) {
        self.type = type
        self.shape = shape
        self.range = range
    }

    /// The number of elements; 1 for a scalar.
    public var elementCount: Int { range.count / type.byteCount }

    /// The number of bytes that a tensor of this type and shape takes, or nil where the product overflows.
    public static func byteCount(type: ElementType, shape: [Int]) -> Int? {
        var count = type.byteCount
        for dimension in shape {
            guard dimension >= 0 else { return nil }
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            if overflow { return nil }
            count = product
        }
        return count
    }
}
