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
    public var elementCount: Int { range.count * 8 / type.bitCount }

    /// The number of bytes that a tensor of this type and shape takes.
    ///
    /// - Returns: nil where a product overflows, a dimension is negative, or the elements end inside a byte.
    public static func byteCount(type: ElementType, shape: [Int]) -> Int? {
        var elements: UInt = 1
        for dimension in shape {
            guard let size = UInt(exactly: dimension) else { return nil }
            let (product, overflow) = elements.multipliedReportingOverflow(by: size)
            if overflow { return nil }
            elements = product
        }
        let (bits, overflow) = elements.multipliedReportingOverflow(by: UInt(type.bitCount))
        return overflow || bits % 8 != 0 ? nil : Int(bits / 8)
    }
}
